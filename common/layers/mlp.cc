#include "mask2former/common/layers/mlp.h"

#include <ATen/ops/relu.h>
#include <torch/nn/modules/linear.h>

namespace mask2former {

Mlp::Mlp(int64_t in_channels, int64_t hidden_channels, int64_t out_channels,
         int64_t num_layers) {
  TORCH_CHECK(num_layers >= 1, "num_layers must be positive, got ", num_layers);
  register_module("layers", layers_);
  for (int64_t i = 0; i < num_layers; ++i) {
    layers_->push_back(torch::nn::Linear(
        i == 0 ? in_channels : hidden_channels,
        i + 1 == num_layers ? out_channels : hidden_channels));
  }
}

torch::Tensor Mlp::forward(const torch::Tensor& x) {
  torch::Tensor y = x;
  for (size_t i = 0; i < layers_->size(); ++i) {
    if (i > 0) y = at::relu(y);
    y = layers_->at<torch::nn::LinearImpl>(i).forward(y);
  }
  return y;
}

}  // namespace mask2former
