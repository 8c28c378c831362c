#include "mask2former/model/weights/official_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A file with these names, each of one byte per letter.
WeightFile File(const std::vector<std::string>& names) {
  WeightFile file;
  for (const std::string& name : names) {
    const auto memory = std::make_shared<const std::string>(name);
    auto tensor =
        MakeRawTensor(ElementType::kUInt8, {static_cast<int64_t>(name.size())},
                      {1}, 0, *memory, memory);
    EXPECT_THAT(tensor, IsOk());
    file.tensors[name] = *std::move(tensor);
  }
  return file;
}

std::vector<std::string> Names(const OfficialWeights& weights) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : weights.tensors) names.push_back(name);
  return names;
}

std::vector<std::string> Ignored(const OfficialWeights& weights) {
  std::vector<std::string> names;
  for (const IgnoredEntry& entry : weights.ignored) names.push_back(entry.name);
  return names;
}

TEST(ToOfficialNamesTest, KnowsAllReleasesOfMask2Former) {
  const auto weights =
      ToOfficialNames(File({"backbone.stem.conv1.weight", "pixel_mean",
                            "sem_seg_head.adapter_1.weight",
                            "sem_seg_head.pixel_decoder.layer_1.weight",
                            "sem_seg_head.predictor.static_query.weight"}));
  ASSERT_THAT(weights, IsOk());
  EXPECT_EQ(weights->naming, "official Mask2Former");
  EXPECT_FALSE(weights->backbone_only);
  EXPECT_THAT(Names(*weights),
              ElementsAre("backbone.stem.conv1.weight",
                          "sem_seg_head.pixel_decoder.adapter_1.weight",
                          "sem_seg_head.pixel_decoder.layer_1.weight",
                          "sem_seg_head.predictor.query_feat.weight"));
  EXPECT_THAT(Ignored(*weights), ElementsAre("pixel_mean"));
}

TEST(ToOfficialNamesTest, DropsModuleBeforeAllNamesOnly) {
  const auto all = ToOfficialNames(
      File({"module.backbone.res2.0.conv1.weight", "module.criterion.x"}));
  ASSERT_THAT(all, IsOk());
  EXPECT_THAT(Names(*all),
              ElementsAre("backbone.res2.0.conv1.weight", "criterion.x"));
  const auto some = ToOfficialNames(File({"module.a", "b"}));
  ASSERT_THAT(some, IsOk());
  EXPECT_THAT(Names(*some), ElementsAre("b", "module.a"));
  EXPECT_EQ(some->naming, "its own");
}

TEST(ToOfficialNamesTest, KnowsTorchvision) {
  const auto weights = ToOfficialNames(
      File({"conv1.weight", "bn1.bias", "layer1.0.conv2.weight",
            "layer4.2.bn3.running_var", "layer2.0.downsample.0.weight",
            "layer2.0.downsample.1.bias", "fc.weight", "fc.bias"}));
  ASSERT_THAT(weights, IsOk());
  EXPECT_EQ(weights->naming, "torchvision ResNet");
  EXPECT_TRUE(weights->backbone_only);
  EXPECT_THAT(Names(*weights),
              ElementsAre("backbone.res2.0.conv2.weight",
                          "backbone.res3.0.shortcut.norm.bias",
                          "backbone.res3.0.shortcut.weight",
                          "backbone.res5.2.conv3.norm.running_var",
                          "backbone.stem.conv1.norm.bias",
                          "backbone.stem.conv1.weight"));
  EXPECT_THAT(Ignored(*weights), ElementsAre("fc.bias", "fc.weight"));
}

TEST(ToOfficialNamesTest, KnowsBackbonesOfDetectron2) {
  const auto weights = ToOfficialNames(File(
      {"stem.conv1.norm.weight", "res5.2.conv3.weight", "stem.fc.weight"}));
  ASSERT_THAT(weights, IsOk());
  EXPECT_TRUE(weights->backbone_only);
  EXPECT_THAT(Names(*weights), ElementsAre("backbone.res5.2.conv3.weight",
                                           "backbone.stem.conv1.norm.weight"));
  EXPECT_THAT(Ignored(*weights), ElementsAre("stem.fc.weight"));
}

TEST(ToOfficialNamesTest, KnowsSwinOfItsAuthorsAndOfTimm) {
  const auto official = ToOfficialNames(
      File({"patch_embed.proj.weight", "layers.0.downsample.norm.bias",
            "layers.0.blocks.1.attn_mask", "layers.3.blocks.1.attn.qkv.bias",
            "norm.weight", "head.bias", "norm3.weight"}));
  ASSERT_THAT(official, IsOk());
  EXPECT_THAT(
      Names(*official),
      ElementsAre("backbone.layers.0.downsample.norm.bias",
                  "backbone.layers.3.blocks.1.attn.qkv.bias",
                  "backbone.norm3.weight", "backbone.patch_embed.proj.weight"));
  EXPECT_THAT(
      Ignored(*official),
      ElementsAre("head.bias", "layers.0.blocks.1.attn_mask", "norm.weight"));
  const auto timm = ToOfficialNames(
      File({"patch_embed.proj.weight", "layers_1.downsample.norm.bias",
            "layers_3.downsample.norm.bias", "layers_3.blocks.0.norm1.bias"}));
  ASSERT_THAT(timm, IsOk());
  EXPECT_THAT(Names(*timm),
              ElementsAre("backbone.layers.0.downsample.norm.bias",
                          "backbone.layers.2.downsample.norm.bias",
                          "backbone.layers.3.blocks.0.norm1.bias",
                          "backbone.patch_embed.proj.weight"));
}

constexpr char kLayer[] = "model.transformer_module.decoder.layers.3.";

WeightFile HuggingFace(const std::vector<std::string>& projections) {
  std::vector<std::string> names = {
      "model.pixel_level_module.decoder.mask_projection.bias"};
  for (const std::string& projection : projections) {
    names.push_back(kLayer + projection);
  }
  return File(names);
}

TEST(ToOfficialNamesTest, JoinsQueryKeyAndValueOfHuggingFace) {
  const WeightFile file =
      HuggingFace({"self_attn.k_proj.bias", "self_attn.q_proj.bias",
                   "self_attn.v_proj.bias"});
  const auto weights = ToOfficialNames(file);
  ASSERT_THAT(weights, IsOk());
  EXPECT_EQ(weights->naming, "Hugging Face");
  const auto& joined = weights->tensors.at(
      "sem_seg_head.predictor.transformer_self_attention_layers.3.self_attn."
      "in_proj_bias");
  ASSERT_EQ(joined.parts.size(), 3);
  EXPECT_THAT(joined.shape(), ElementsAre(3 * joined.parts[0].shape[0]));
  EXPECT_THAT(ContiguousBytes(joined.parts[0]), HasSubstr("q_proj"));
  EXPECT_THAT(ContiguousBytes(joined.parts[1]), HasSubstr("k_proj"));
  EXPECT_THAT(ContiguousBytes(joined.parts[2]), HasSubstr("v_proj"));
}

TEST(ToOfficialNamesTest, NamesPartsThatAreMissingOrDiffer) {
  EXPECT_THAT(ToOfficialNames(HuggingFace({"self_attn.k_proj.bias"})),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("in_proj_bias"),
                             HasSubstr("not all are there"))));
  WeightFile file =
      HuggingFace({"self_attn.k_proj.bias", "self_attn.q_proj.bias",
                   "self_attn.v_proj.bias"});
  file.tensors[std::string(kLayer) + "self_attn.v_proj.bias"].type =
      ElementType::kInt8;
  EXPECT_THAT(ToOfficialNames(file),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("differ in shape or type")));
}

TEST(ToOfficialNamesTest, NamesTensorsThatMeanTheSame) {
  EXPECT_THAT(
      ToOfficialNames(File({"sem_seg_head.predictor.query_feat.weight",
                            "sem_seg_head.predictor.static_query.weight"})),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("two tensors of the file mean")));
}

TEST(ToOfficialNamesTest, UnknownNamesStay) {
  const auto weights = ToOfficialNames(HuggingFace({"new_thing.bias"}));
  ASSERT_THAT(weights, IsOk());
  EXPECT_EQ(weights->tensors.count(std::string(kLayer) + "new_thing.bias"), 1);
}

}  // namespace
}  // namespace mask2former
