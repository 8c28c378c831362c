#include "mask2former/tools/convert_weights/convert.h"

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/weights/weight_file.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ModelConfig Model(const std::string& backbone, int classes = 3) {
  return ParseTextProtoOrDie<ModelConfig>(
      absl::StrCat("backbone { ", backbone, " } ", R"pb(
                     pixel_decoder {
                       ms_deform_attn {
                         channels: 32
                         mask_channels: 32
                         num_layers: 1
                         num_heads: 2
                         feedforward_channels: 32
                       }
                     }
                     transformer_decoder {
                       masked_attention {
                         num_queries: 5
                         channels: 32
                         num_heads: 2
                         feedforward_channels: 32
                         num_layers: 3
                       }
                     })pb",
                   " num_classes: ", classes));
}

constexpr char kResNet[] = "resnet { depth: 18 width: 8 }";
constexpr char kSwin[] =
    "swin { embed_channels: 8 depths: [1, 2, 1, 1] num_heads: [1, 2, 4, 8] "
    "window_size: 3 }";

std::string Path(const std::string& name) {
  return testing::TempDir() + "/" + name;
}

// A model of its own, in a file.
std::map<std::string, at::Tensor> Saved(const ModelConfig& config,
                                        const std::string& path) {
  const auto segmentor = BuildSegmentor(config);
  EXPECT_THAT(segmentor, IsOk());
  EXPECT_THAT(SaveWeights(path, **segmentor, {}), IsOk());
  return NamedState(**segmentor);
}

class LoopTest : public testing::TestWithParam<const char*> {};

// Official names -> Hugging Face's -> .pth -> official names.
TEST_P(LoopTest, WeightsComeBackAsTheyWere) {
  ConvertOptions options;
  options.model = Model(GetParam());
  options.class_names = {"road", "car", "sky"};
  const std::string start = Path("start.safetensors");
  const auto state = Saved(*options.model, start);
  options.input = start;
  for (const char* const name : {"folder", "weights.pth", "end.safetensors"}) {
    options.output = Path(name);
    const auto report = ConvertWeights(options);
    ASSERT_THAT(report, IsOk());
    EXPECT_TRUE(report->complete());
    EXPECT_THAT(report->adapted, IsEmpty());
    EXPECT_EQ(report->matched.size(), state.size()) << name;
    options.input = options.output;
  }
  const auto end = ReadSafetensors(options.output);
  ASSERT_THAT(end, IsOk());
  ASSERT_EQ(end->tensors.size(), state.size());
  for (const auto& [name, tensor] : state) {
    EXPECT_TRUE(end->tensors.at(name).equal(tensor)) << name;
  }
  const auto folder = ReadWeightFile(Path("folder"));
  ASSERT_THAT(folder, IsOk());
  EXPECT_THAT(folder->class_names, ElementsAre("road", "car", "sky"));
  EXPECT_EQ(folder->metadata.at("format"), "pt");
  // The loss weights, which other frameworks keep among the weights.
  EXPECT_EQ(folder->tensors.count("criterion.empty_weight"), 1);
}

INSTANTIATE_TEST_SUITE_P(Backbones, LoopTest, testing::Values(kResNet, kSwin));

TEST(ConvertWeightsTest, WithoutAModelNamesAreTranslatedAndNothingIsAdded) {
  ConvertOptions options;
  options.model = Model(kResNet);
  const auto state = Saved(*options.model, Path("a.safetensors"));
  options.input = Path("a.safetensors");
  options.output = Path("hf");
  ASSERT_THAT(ConvertWeights(options), IsOk());
  options.input = options.output;
  options.output = Path("b.safetensors");
  options.model.reset();
  const auto report = ConvertWeights(options);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->naming, "Hugging Face");
  const auto end = ReadSafetensors(options.output);
  ASSERT_THAT(end, IsOk());
  EXPECT_EQ(end->tensors.size(), state.size() + 1);  // criterion.empty_weight
  for (const auto& [name, tensor] : state) {
    EXPECT_TRUE(end->tensors.at(name).equal(tensor)) << name;
  }
}

TEST(ConvertWeightsTest, KeepsTheClassesThatHaveTheSameName) {
  ConvertOptions options;
  options.model = Model(kResNet, 19);
  const auto state = Saved(*options.model, Path("19.safetensors"));
  options.input = Path("19.safetensors");
  options.output = Path("named.safetensors");
  ASSERT_THAT(ConvertWeights(options), IsOk());  // Has Cityscapes' names now.
  options.input = options.output;
  options.output = Path("five.safetensors");
  options.model = Model(kResNet, 5);
  options.class_names = {"sky", "lamp", "road", "car", "bicycle"};
  EXPECT_THAT(ConvertWeights(options),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("shape differs  sem_seg_head.predictor."
                                       "class_embed.bias"),
                             HasSubstr("file [20], model [6]"))));
  options.on_mismatch = OnMismatch::kSlice;
  const auto report = ConvertWeights(options);
  ASSERT_THAT(report, IsOk());
  ASSERT_EQ(report->adapted.size(), 2);
  EXPECT_THAT(report->adapted[0].reason,
              AllOf(HasSubstr("4 of 5 classes by name"), HasSubstr("lamp")));
  const auto end = ReadSafetensors(options.output);
  ASSERT_THAT(end, IsOk());
  const std::string name = "sem_seg_head.predictor.class_embed.weight";
  const at::Tensor& rows = end->tensors.at(name);
  const at::Tensor& from = state.at(name);
  EXPECT_TRUE(rows[0].equal(from[10]));  // sky
  EXPECT_TRUE(rows[2].equal(from[0]));   // road
  EXPECT_TRUE(rows[3].equal(from[13]));  // car
  EXPECT_TRUE(rows[4].equal(from[18]));  // bicycle
  EXPECT_TRUE(rows[5].equal(from[19]));  // No object.
}

TEST(ConvertWeightsTest, TheFilesClassesCanBeNamed) {
  ConvertOptions options;
  options.model = Model(kResNet, 2);
  options.input = Path("nameless.safetensors");
  const auto state = Saved(*options.model, options.input);
  options.output = Path("one_class.safetensors");
  options.model = Model(kResNet, 1);
  options.class_names = {"sky"};
  options.on_mismatch = OnMismatch::kSlice;
  const std::string name = "sem_seg_head.predictor.class_embed.bias";
  const auto first_row = [&](const std::string& reason) {
    const auto report = ConvertWeights(options);
    EXPECT_THAT(report, IsOk());
    EXPECT_THAT(report->adapted[0].reason, HasSubstr(reason));
    const auto end = ReadSafetensors(options.output);
    EXPECT_THAT(end, IsOk());
    return end->tensors.at(name)[0];
  };
  EXPECT_TRUE(first_row("for want of names").equal(state.at(name)[0]));
  options.input_class_names = {"road", "sky"};
  EXPECT_TRUE(first_row("1 of 1 classes by name").equal(state.at(name)[1]));
}

TEST(ConvertWeightsTest, ModelsOfThingsGetTheirNames) {
  ConvertOptions options;
  options.model = Model(kSwin, 8);
  options.input = Path("things.safetensors");
  Saved(*options.model, options.input);
  options.output = Path("things");
  ASSERT_THAT(ConvertWeights(options), IsOk());
  const auto folder = ReadWeightFile(options.output);
  ASSERT_THAT(folder, IsOk());
  EXPECT_THAT(folder->class_names,
              ElementsAre("person", "rider", "car", "truck", "bus", "train",
                          "motorcycle", "bicycle"));
}

TEST(ConvertWeightsTest, SaysWhatIsWrongBeforeWriting) {
  ConvertOptions options;
  options.input = Path("x.safetensors");
  Saved(Model(kResNet), options.input);
  const auto refuses = [&](const std::string& reason) {
    EXPECT_THAT(
        ConvertWeights(options),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(reason)));
  };
  options.output = Path("weights.onnx");
  refuses("must end in .safetensors or .pth");
  options.output = Path("none");
  refuses("needs a config");
  options.model = Model(kResNet);
  options.class_names = {"one"};
  refuses("1 class names for a model of 3 classes");
  options.class_names.clear();
  options.model = Model(kSwin);
  refuses("the weights do not fit the model");
  EXPECT_FALSE(DirectoryExists(Path("none")));
}

}  // namespace
}  // namespace mask2former
