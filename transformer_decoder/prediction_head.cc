#include "mask2former/transformer_decoder/prediction_head.h"

#include <ATen/ops/bmm.h>

namespace mask2former {
namespace {

// [B, Q, E] x [B, E, H, W] -> [B, Q, H, W]
torch::Tensor DotProducts(const torch::Tensor& vectors,
                          const torch::Tensor& features) {
  return at::bmm(vectors, features.flatten(2))
      .view({features.size(0), vectors.size(1), features.size(2),
             features.size(3)});
}

}  // namespace

PredictionHead::PredictionHead(torch::nn::Module& owner,
                               const PredictionHeadOptions& options)
    : norm_(owner.register_module(
          "decoder_norm",
          torch::nn::LayerNorm(
              torch::nn::LayerNormOptions({options.channels}).eps(1e-5)))),
      class_(owner.register_module(
          "class_embed",
          torch::nn::Linear(options.channels, options.num_classes + 1))),
      mask_(owner.register_module(
          "mask_embed",
          std::make_shared<Mlp>(options.channels, options.channels,
                                options.mask_channels, /*num_layers=*/3))) {}

MaskPrediction PredictionHead::Predict(const torch::Tensor& x,
                                       const torch::Tensor& mask_features) {
  const torch::Tensor normal = norm_->forward(x);
  return {class_->forward(normal),
          DotProducts(mask_->forward(normal), mask_features)};
}

torch::Tensor PredictionHead::PredictMasks(const torch::Tensor& x,
                                           const torch::Tensor& mask_features) {
  return DotProducts(mask_->forward(norm_->forward(x)), mask_features);
}

}  // namespace mask2former
