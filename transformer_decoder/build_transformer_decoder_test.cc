#include "mask2former/transformer_decoder/build_transformer_decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<std::shared_ptr<TransformerDecoder>> Build(
    const std::string& text, int64_t in_channels = 256,
    int64_t mask_channels = 256, int64_t num_classes = 19) {
  return BuildTransformerDecoder(
      ParseTextProtoOrDie<TransformerDecoderConfig>(text), in_channels,
      mask_channels, num_classes);
}

TEST(BuildTransformerDecoderTest, DefaultsGiveThePapersDecoder) {
  const auto decoder = Build("masked_attention {}");
  ASSERT_THAT(decoder, IsOk());
  EXPECT_EQ((*decoder)->num_queries(), 100);
  EXPECT_EQ((*decoder)->num_classes(), 19);
  EXPECT_EQ((*decoder)->num_predictions(), 10);
  int64_t parameters = 0;
  for (const torch::Tensor& parameter : (*decoder)->parameters()) {
    parameters += parameter.numel();
  }
  EXPECT_EQ(parameters, 14463764);
}

TEST(BuildTransformerDecoderTest, EveryFieldHasItsEffect) {
  const auto decoder = Build(
      "masked_attention { num_queries: 5 channels: 12 num_heads: 3"
      " feedforward_channels: 7 num_layers: 2 dropout: 0.5 pre_norm: true }",
      10, 6, 4);
  ASSERT_THAT(decoder, IsOk());
  EXPECT_EQ((*decoder)->num_queries(), 5);
  EXPECT_EQ((*decoder)->num_predictions(), 3);
  const auto parameters = (*decoder)->named_parameters();
  EXPECT_THAT(parameters["query_feat.weight"].sizes(), ElementsAre(5, 12));
  EXPECT_THAT(parameters["transformer_ffn_layers.1.linear1.weight"].sizes(),
              ElementsAre(7, 12));
  EXPECT_FALSE(parameters.contains("transformer_ffn_layers.2.linear1.weight"));
  EXPECT_THAT(parameters["input_proj.2.weight"].sizes(),
              ElementsAre(12, 10, 1, 1));
  EXPECT_THAT(parameters["mask_embed.layers.2.weight"].sizes(),
              ElementsAre(6, 12));
  EXPECT_THAT(parameters["class_embed.weight"].sizes(), ElementsAre(5, 12));

  const std::vector<torch::Tensor> levels = {at::zeros({2, 10, 1, 2}),
                                             at::zeros({2, 10, 2, 4}),
                                             at::zeros({2, 10, 4, 8})};
  const torch::Tensor mask_features = at::zeros({2, 6, 8, 16});
  const MaskPrediction first =
      (*decoder)->forward(levels, mask_features).back();
  EXPECT_THAT(first.class_logits.sizes(), ElementsAre(2, 5, 5));
  EXPECT_THAT(first.mask_logits.sizes(), ElementsAre(2, 5, 8, 16));
  // Dropout makes two runs differ.
  const MaskPrediction second =
      (*decoder)->forward(levels, mask_features).back();
  EXPECT_GT(
      (first.class_logits - second.class_logits).abs().max().item<float>(), 0);
}

TEST(BuildTransformerDecoderTest, SaysWhichKindsThereAre) {
  EXPECT_THAT(Build(""), StatusIs(absl::StatusCode::kInvalidArgument,
                                  HasSubstr("set one of masked_attention")));
}

TEST(BuildTransformerDecoderTest, RejectsValuesOutOfRange) {
  const auto rejects = [](const char* message) {
    return StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message));
  };
  EXPECT_THAT(Build("masked_attention { num_layers: 0 }"),
              rejects("must be positive, got num_layers: 0"));
  EXPECT_THAT(Build("masked_attention { channels: 100 }"),
              rejects("channels (100) must be a multiple of num_heads (8)"));
  EXPECT_THAT(Build("masked_attention { channels: 6 num_heads: 3 }"),
              rejects("and of 4"));
  EXPECT_THAT(Build("masked_attention { dropout: 1 }"),
              rejects("dropout must be in [0, 1), got 1"));
  EXPECT_THAT(Build("masked_attention {}", 256, 256, 0),
              rejects("positive, got 256, 256 and 0"));
}

}  // namespace
}  // namespace mask2former
