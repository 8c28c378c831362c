#include "mask2former/transformer_decoder/decoder_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/relu.h>

#include "mask2former/common/layers/initialization.h"

namespace mask2former {
namespace {

torch::nn::LayerNorm MakeNorm(const DecoderLayerOptions& options) {
  return torch::nn::LayerNorm(
      torch::nn::LayerNormOptions({options.channels}).eps(1e-5));
}

std::shared_ptr<MultiheadAttention> MakeAttention(
    const DecoderLayerOptions& options) {
  MultiheadAttentionOptions attention;
  attention.channels = options.channels;
  attention.num_heads = options.num_heads;
  attention.dropout = options.dropout;
  return std::make_shared<MultiheadAttention>(attention);
}

// What the three have in common, around f.
template <typename Function>
torch::Tensor AddAndNormalize(const torch::Tensor& x,
                              torch::nn::LayerNorm& norm,
                              const DecoderLayerOptions& options, bool training,
                              const Function& f) {
  const bool drops = training && options.dropout > 0;
  const auto drop = [&](const torch::Tensor& y) {
    return drops ? at::dropout(y, options.dropout, /*train=*/true) : y;
  };
  if (options.pre_norm) return x + drop(f(norm->forward(x)));
  return norm->forward(x + drop(f(x)));
}

}  // namespace

CrossAttentionLayer::CrossAttentionLayer(const DecoderLayerOptions& options)
    : options_(options),
      attention_(register_module("multihead_attn", MakeAttention(options))),
      norm_(register_module("norm", MakeNorm(options))) {}

torch::Tensor CrossAttentionLayer::forward(const torch::Tensor& x,
                                           const torch::Tensor& x_positions,
                                           const torch::Tensor& keys,
                                           const torch::Tensor& values,
                                           const torch::Tensor& attendable) {
  return AddAndNormalize(
      x, norm_, options_, is_training(), [&](const torch::Tensor& y) {
        return attention_->forward(y + x_positions, keys, values, attendable);
      });
}

SelfAttentionLayer::SelfAttentionLayer(const DecoderLayerOptions& options)
    : options_(options),
      attention_(register_module("self_attn", MakeAttention(options))),
      norm_(register_module("norm", MakeNorm(options))) {}

torch::Tensor SelfAttentionLayer::forward(const torch::Tensor& x,
                                          const torch::Tensor& x_positions) {
  return AddAndNormalize(x, norm_, options_, is_training(),
                         [&](const torch::Tensor& y) {
                           const torch::Tensor placed = y + x_positions;
                           return attention_->forward(placed, placed, y);
                         });
}

FeedforwardLayer::FeedforwardLayer(const DecoderLayerOptions& options)
    : options_(options),
      linear1_(register_module(
          "linear1",
          torch::nn::Linear(options.channels, options.feedforward_channels))),
      linear2_(register_module(
          "linear2",
          torch::nn::Linear(options.feedforward_channels, options.channels))),
      norm_(register_module("norm", MakeNorm(options))) {
  // Biases keep LibTorch's default.
  XavierUniform(linear1_->weight);
  XavierUniform(linear2_->weight);
}

torch::Tensor FeedforwardLayer::forward(const torch::Tensor& x) {
  return AddAndNormalize(
      x, norm_, options_, is_training(), [&](const torch::Tensor& y) {
        torch::Tensor inner = at::relu(linear1_->forward(y));
        if (is_training() && options_.dropout > 0) {
          inner = at::dropout(inner, options_.dropout, /*train=*/true);
        }
        return linear2_->forward(inner);
      });
}

}  // namespace mask2former
