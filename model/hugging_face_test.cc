// Small models with weights in Hugging Face's names against what transformers
// computes with them: tools/goldens/hugging_face.py.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"

namespace mask2former {
namespace {

using ::nlohmann::json;
using ::testing::IsEmpty;

// As fill() of the script.
at::Tensor Weight(const std::string& name, const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t size : shape) count *= size;
  const at::Tensor r = 2 * ReferenceUniform(name, count).view(shape) - 1;
  at::Tensor value;
  if (absl::EndsWith(name, "running_var")) {
    value = 1 + 0.5 * r;
  } else if (absl::EndsWith(name, "sampling_offsets.bias")) {
    value = 4 * r;
  } else if (shape.size() == 1) {
    value = absl::EndsWith(name, "weight") ? 1 + 0.1 * r : 0.1 * r;
  } else if (absl::StrContains(name, "queries") ||
             absl::StrContains(name, "level_embed")) {
    value = std::sqrt(3.) * r;
  } else {
    value = std::sqrt(3. * static_cast<double>(shape[0]) /
                      static_cast<double>(count)) *
            r;
  }
  return value.to(at::kFloat);
}

struct Case {
  std::string name;
  std::string backbone;
};

class HuggingFaceTest : public testing::TestWithParam<Case> {};

TEST_P(HuggingFaceTest, LogitsAreThoseOfTransformers) {
  const auto golden = ReadSafetensors(absl::StrCat(
      "model/testdata/hugging_face_", GetParam().name, ".safetensors"));
  ASSERT_THAT(golden, IsOk());
  const json shapes = json::parse(golden->metadata.at("shapes"));
  std::map<std::string, at::Tensor> weights;
  for (const auto& item : shapes.items()) {
    weights[item.key()] =
        Weight(item.key(), item.value().get<std::vector<int64_t>>());
  }
  const std::string path =
      absl::StrCat(testing::TempDir(), "/", GetParam().name, ".safetensors");
  ASSERT_THAT(WriteSafetensors(path, weights), IsOk());

  const auto segmentor = BuildSegmentor(ParseTextProtoOrDie<ModelConfig>(
      absl::StrCat("backbone { ", GetParam().backbone, " } ", R"pb(
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
        }
        num_classes: 3
      )pb")));
  ASSERT_THAT(segmentor, IsOk());
  const auto report = LoadWeights(path, /*strict=*/true, **segmentor);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->naming, "Hugging Face");
  EXPECT_THAT(report->unexpected, IsEmpty());
  (*segmentor)->eval();

  c10::NoGradGuard no_grad;
  for (const auto& [height, width] : std::vector<std::pair<int64_t, int64_t>>{
           {64, 64}, {90, 150}, {33, 97}}) {
    const std::string size = absl::StrCat(height, "x", width);
    const PreparedImages input =
        (*segmentor)
            ->Prepare(
                {ReferenceImage(absl::StrCat("picture", size), height, width)});
    const MaskPrediction prediction =
        (*segmentor)->PredictFinal(input.images, false);
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

INSTANTIATE_TEST_SUITE_P(
    Backbones, HuggingFaceTest,
    testing::Values(Case{"resnet", "resnet { depth: 18 width: 8 }"},
                    Case{"swin",
                         "swin { embed_channels: 8 depths: [1, 2, 1, 1] "
                         "num_heads: [1, 2, 4, 8] window_size: 3 }"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mask2former
