#include "mask2former/transformer_decoder/prediction_head.h"

#include <ATen/ops/einsum.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

TEST(PredictionHeadTest, PredictsFromTheNormalizedQueries) {
  torch::manual_seed(1);
  torch::nn::Module owner;
  PredictionHeadOptions options;
  options.channels = 8;
  options.mask_channels = 6;
  options.num_classes = 3;
  PredictionHead head(owner, options);
  const auto p = owner.named_parameters();
  EXPECT_THAT(
      p.keys(),
      ElementsAre("decoder_norm.weight", "decoder_norm.bias",
                  "class_embed.weight", "class_embed.bias",
                  "mask_embed.layers.0.weight", "mask_embed.layers.0.bias",
                  "mask_embed.layers.1.weight", "mask_embed.layers.1.bias",
                  "mask_embed.layers.2.weight", "mask_embed.layers.2.bias"));
  {
    torch::NoGradGuard no_grad;
    p["decoder_norm.weight"].uniform_(0.5, 1.5);
    p["decoder_norm.bias"].uniform_(0.5, 1.5);
  }
  const torch::Tensor x = at::randn({2, 5, 8});
  const torch::Tensor features = at::randn({2, 6, 4, 7});
  const torch::Tensor normal = at::layer_norm(x, {8}, p["decoder_norm.weight"],
                                              p["decoder_norm.bias"], 1e-5);
  const auto layer = [&](const torch::Tensor& y, const std::string& name) {
    return at::linear(y, p[name + ".weight"], p[name + ".bias"]);
  };
  const torch::Tensor vectors = layer(
      layer(layer(normal, "mask_embed.layers.0").relu(), "mask_embed.layers.1")
          .relu(),
      "mask_embed.layers.2");
  const torch::Tensor masks = at::einsum("bqe,behw->bqhw", {vectors, features});

  const MaskPrediction prediction = head.Predict(x, features);
  EXPECT_THAT(prediction.class_logits,
              TensorNear(layer(normal, "class_embed"), 1e-5, 1e-5));
  EXPECT_THAT(prediction.mask_logits, TensorNear(masks, 1e-5, 1e-5));
  EXPECT_THAT(head.PredictMasks(x, features), TensorNear(masks, 1e-5, 1e-5));
  // Channels-last mask features too.
  EXPECT_THAT(head.PredictMasks(
                  x, features.contiguous(torch::MemoryFormat::ChannelsLast)),
              TensorNear(masks, 1e-5, 1e-5));
}

}  // namespace
}  // namespace mask2former
