#include "mask2former/backbone/swin_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>

#include "mask2former/backbone/checkpoint_activations.h"

namespace mask2former {
namespace {

torch::nn::LayerNorm MakeNorm(int64_t channels) {
  return torch::nn::LayerNorm(
      torch::nn::LayerNormOptions({channels}).eps(1e-5));
}

// x + weights * branch; `weights` undefined: x + branch.
torch::Tensor AddBranch(const torch::Tensor& x, torch::Tensor branch,
                        const torch::Tensor& weights) {
  if (weights.defined()) branch = branch * weights;
  if (!at::GradMode::is_enabled() && branch.scalar_type() == x.scalar_type()) {
    return branch.add_(x);
  }
  return x + branch;
}

}  // namespace

SwinBlock::SwinBlock(const SwinBlockOptions& options) : options_(options) {
  TORCH_CHECK(options.drop_path >= 0 && options.drop_path < 1,
              "drop_path must be in [0, 1), got ", options.drop_path);
  const int64_t channels = options.attention.channels;
  norm1_ = register_module("norm1", MakeNorm(channels));
  attention_ = register_module(
      "attn", std::make_shared<WindowAttention>(options.attention));
  norm2_ = register_module("norm2", MakeNorm(channels));
  const auto mlp =
      register_module("mlp", std::make_shared<torch::nn::Module>());
  linear1_ = mlp->register_module(
      "fc1", torch::nn::Linear(channels, options.feedforward_channels));
  linear2_ = mlp->register_module(
      "fc2", torch::nn::Linear(options.feedforward_channels, channels));
}

torch::Tensor SwinBlock::DrawBranchWeights(const torch::Tensor& x) const {
  if (!is_training() || options_.drop_path == 0) return {};
  const double keep = 1 - options_.drop_path;
  return at::empty({x.size(0), 1, 1, 1}, x.options())
      .bernoulli_(keep)
      .div_(keep);
}

torch::Tensor SwinBlock::Compute(const torch::Tensor& x,
                                 const torch::Tensor& attention_weights,
                                 const torch::Tensor& feedforward_weights) {
  const torch::Tensor y =
      AddBranch(x, attention_->forward(norm1_->forward(x)), attention_weights);
  torch::Tensor inner = linear1_->forward(norm2_->forward(y));
  inner = at::GradMode::is_enabled() ? at::gelu(inner) : at::gelu_(inner);
  return AddBranch(y, linear2_->forward(inner), feedforward_weights);
}

torch::Tensor SwinBlock::forward(const torch::Tensor& x) {
  // Drawn here, so that computing the block once more draws nothing.
  const torch::Tensor attention_weights = DrawBranchWeights(x);
  const torch::Tensor feedforward_weights = DrawBranchWeights(x);
  const auto compute = [this, attention_weights,
                        feedforward_weights](const torch::Tensor& input) {
    return Compute(input, attention_weights, feedforward_weights);
  };
  if (!options_.checkpoint_activations) return compute(x);
  return CheckpointActivations(compute, x, parameters());
}

}  // namespace mask2former
