#include "mask2former/model/weights/hugging_face_names.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kAttention[] =
    "sem_seg_head.predictor.transformer_self_attention_layers.0.self_attn.";

TEST(ToHuggingFaceNamesTest, SplitsWhatIsJoined) {
  const auto named = ToHuggingFaceNames(
      {{std::string(kAttention) + "in_proj_bias", at::arange(6.f)},
       {"backbone.res3.1.conv2.norm.bias", at::ones({2})},
       {"backbone.res3.1.conv2.weight", at::ones({2, 2, 3, 3})}});
  ASSERT_THAT(named, IsOk());
  ASSERT_EQ(named->size(), 5);
  const std::string layer =
      "model.transformer_module.decoder.layers.0.self_attn.";
  EXPECT_THAT(named->at(layer + "k_proj.bias"),
              TensorNear(at::arange(2, 4, at::kFloat), 0., 0.));
  EXPECT_THAT(named->at(layer + "v_proj.bias"),
              TensorNear(at::arange(4, 6, at::kFloat), 0., 0.));
  const std::string block =
      "model.pixel_level_module.encoder.encoder.stages.1.layers.1.layer.1.";
  EXPECT_EQ(named->count(block + "normalization.bias"), 1);
  EXPECT_EQ(named->count(block + "convolution.weight"), 1);
}

TEST(ToHuggingFaceNamesTest, NamesWhatHasNoCounterpart) {
  EXPECT_THAT(
      ToHuggingFaceNames(
          {{"backbone.other", at::ones({1})},
           {std::string(kAttention) + "in_proj_bias", at::ones({4})}}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               AllOf(HasSubstr("backbone.other"), HasSubstr("in_proj_bias"))));
}

}  // namespace
}  // namespace mask2former
