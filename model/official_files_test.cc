// Weights in official names, from files, through the importer: the model then
// computes what the reference computes.

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/model/weights/write_torch_file.h"

namespace mask2former {
namespace {

using ::testing::IsEmpty;

using State = std::map<std::string, at::Tensor>;

std::shared_ptr<Segmentor> R50() {
  const auto segmentor = BuildSegmentor(ParseTextProtoOrDie<ModelConfig>(R"pb(
    backbone { resnet {} }
    pixel_decoder { ms_deform_attn {} }
    transformer_decoder { masked_attention {} }
  )pb"));
  EXPECT_THAT(segmentor, IsOk());
  return *segmentor;
}

// As the official state dict: 611 entries.
State OfficialState() {
  const auto model = R50();
  FillWithReferenceValues(*model, "s29:");
  State state = NamedState(*model);
  state["criterion.empty_weight"] = at::ones({20});
  EXPECT_EQ(state.size(), 611);
  return state;
}

// The same with names of the first release and a wrapper's prefix.
State FirstRelease(const State& state) {
  State renamed;
  for (const auto& [name, tensor] : state) {
    std::string old = name;
    const auto replace = [&](const std::string& from, const std::string& to) {
      const size_t at = old.find(from);
      if (at != std::string::npos) old.replace(at, from.size(), to);
    };
    replace("query_feat", "static_query");
    replace("sem_seg_head.pixel_decoder.", "sem_seg_head.");
    renamed["module." + old] = tensor;
  }
  return renamed;
}

template <size_t N>
std::string Bytes(const char (&text)[N]) {
  return std::string(text, N - 1);
}

template <typename T>
void Append(T number, std::string& to) {
  to.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

// {"model": {name: NumPy array, ..}, "__author__": ..} in protocol 3, as
// detectron2's converters write it; of float32, counters left out as there.
void WritePickle(const std::string& path, const State& state) {
  std::ofstream file(path, std::ios::binary);
  const auto text = [](const std::string& value) {
    std::string bytes = "X";
    Append(static_cast<uint32_t>(value.size()), bytes);
    return bytes + value;
  };
  file << "\x80\x03}(" << text("model") << "}(";
  for (const auto& [name, tensor] : state) {
    if (tensor.scalar_type() != at::kFloat) continue;
    std::string head = text(name);
    head +=
        Bytes("cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85");
    head += Bytes(
        "C\x01"
        "b\x87R(K\x01(");
    for (const int64_t size : tensor.sizes()) {
      head += "J";
      Append(static_cast<int32_t>(size), head);
    }
    head +=
        Bytes("tcnumpy\ndtype\n") + text("f4") + Bytes("K\0K\x01\x87R(K\x03");
    head += text("<") + Bytes(
                            "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"
                            "B");
    Append(static_cast<uint32_t>(tensor.nbytes()), head);
    file << head;
    const at::Tensor whole = tensor.contiguous();
    file.write(static_cast<const char*>(whole.const_data_ptr()),
               static_cast<std::streamsize>(whole.nbytes()));
    file << "tb";
  }
  file << "u" << text("__author__") << text("test") << "u.";
  ASSERT_TRUE(file.good());
}

void ExpectReferenceValues(const std::string& path, const std::string& format) {
  const auto model = R50();
  const auto report = LoadWeights(path, /*strict=*/true, *model);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->format, format);
  EXPECT_EQ(report->naming, "official Mask2Former");
  EXPECT_THAT(report->missing, IsEmpty());
  EXPECT_THAT(report->unexpected, IsEmpty());
  EXPECT_THAT(report->adapted, IsEmpty());
  model->eval();
  const at::NoGradGuard no_grad;
  const MaskPrediction prediction = model->PredictFinal(
      model->Prepare({ReferenceImage("image0", 90, 150)}).images, false);
  // The published figures of prediction 9; see reference_values_test.cc.
  const std::vector<double> logits = Statistics(prediction.class_logits);
  const std::vector<double> masks = Statistics(prediction.mask_logits);
  const double expected_logits[] = {-0.263113, 0.786056, -1.57852, -1.14320,
                                    1.91655};
  const double expected_masks[] = {0.046301, 2.324275, -3.70131, -7.20076,
                                   0.16769};
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(logits[i], expected_logits[i], 2e-4) << i;
    EXPECT_NEAR(masks[i], expected_masks[i], 2e-4) << i;
  }
  std::remove(path.c_str());
}

TEST(OfficialFilesTest, APthOfR50GivesTheReferenceValues) {
  const std::string path = testing::TempDir() + "/model_final.pth";
  ASSERT_THAT(WriteTorchFile(path, OfficialState(), {}), IsOk());
  ExpectReferenceValues(path, "PyTorch zip");
}

TEST(OfficialFilesTest, APklOfR50GivesTheReferenceValues) {
  const std::string path = testing::TempDir() + "/model_final.pkl";
  WritePickle(path, OfficialState());
  ExpectReferenceValues(path, "pickle");
}

TEST(OfficialFilesTest, TheNamesOfTheFirstReleaseDoToo) {
  const std::string path = testing::TempDir() + "/old.pth";
  ASSERT_THAT(WriteTorchFile(path, FirstRelease(OfficialState()), {}), IsOk());
  ExpectReferenceValues(path, "PyTorch zip");
}

// Written by Python, in half precision: tools/goldens/official_file.py.
TEST(OfficialFilesTest, APklByPythonGivesWhatTransformersComputes) {
  const auto segmentor = BuildSegmentor(ParseTextProtoOrDie<ModelConfig>(R"pb(
    backbone {
      swin {
        embed_channels: 2
        depths: [ 2, 1, 1, 1 ]
        num_heads: [ 1, 2, 2, 4 ]
        window_size: 3
      }
    }
    pixel_decoder {
      ms_deform_attn {
        channels: 32
        mask_channels: 16
        num_layers: 1
        num_heads: 2
        feedforward_channels: 8
      }
    }
    transformer_decoder {
      masked_attention {
        num_queries: 3
        channels: 32
        num_heads: 2
        feedforward_channels: 8
        num_layers: 1
      }
    }
    num_classes: 2
  )pb"));
  ASSERT_THAT(segmentor, IsOk());
  const auto report = LoadWeights("model/testdata/official_swin.pkl",
                                  /*strict=*/true, **segmentor);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->naming, "official Mask2Former");
  const auto golden =
      ReadSafetensors("model/testdata/official_swin.safetensors");
  ASSERT_THAT(golden, IsOk());
  (*segmentor)->eval();
  const at::NoGradGuard no_grad;
  for (const auto& [height, width] : std::vector<std::pair<int64_t, int64_t>>{
           {64, 64}, {90, 150}, {33, 97}}) {
    const std::string size = absl::StrCat(height, "x", width);
    const MaskPrediction prediction =
        (*segmentor)
            ->PredictFinal(
                (*segmentor)
                    ->Prepare({ReferenceImage(absl::StrCat("picture", size),
                                              height, width)})
                    .images,
                false);
    EXPECT_THAT(
        prediction.class_logits[0],
        TensorNear(golden->tensors.at(absl::StrCat("classes.", size)), 1e-4, 0))
        << size;
    EXPECT_THAT(
        prediction.mask_logits[0],
        TensorNear(golden->tensors.at(absl::StrCat("masks.", size)), 1e-4, 0))
        << size;
  }
}

}  // namespace
}  // namespace mask2former
