#include "mask2former/pixel_decoder/deformable_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/stack.h>
#include <c10/core/GradMode.h>
#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include "mask2former/common/layers/initialization.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

torch::nn::LayerNorm MakeLayerNorm(int64_t channels) {
  return torch::nn::LayerNorm(
      torch::nn::LayerNormOptions({channels}).eps(1e-5));
}

// [B, C, H, W] -> [B, HW, C]
torch::Tensor ToTokens(const torch::Tensor& map) {
  return map.flatten(2).transpose(1, 2);
}

// The centre of every pixel of every level, as a fraction of its level:
// [1, S, 1, 2], (x, y). Float beside halves, whose steps are half a pixel wide
// on a large level.
torch::Tensor PixelCentres(at::IntArrayRef level_shapes,
                           const torch::Tensor& tokens) {
  const torch::TensorOptions options = tokens.options().dtype(
      tokens.scalar_type() == at::kDouble ? at::kDouble : at::kFloat);
  std::vector<torch::Tensor> centres;
  for (size_t l = 0; l < level_shapes.size(); l += 2) {
    const int64_t height = level_shapes[l];
    const int64_t width = level_shapes[l + 1];
    const torch::Tensor y = (at::arange(height, options) + 0.5) / height;
    const torch::Tensor x = (at::arange(width, options) + 0.5) / width;
    centres.push_back(at::stack({x.unsqueeze(0).expand({height, width}),
                                 y.unsqueeze(1).expand({height, width})},
                                -1)
                          .view({1, -1, 1, 2}));
  }
  return at::cat(centres, 1);
}

}  // namespace

class DeformableEncoderLayer final : public torch::nn::Module {
 public:
  explicit DeformableEncoderLayer(const DeformableEncoderOptions& options)
      : dropout_(options.dropout) {
    const int64_t channels = options.attention.channels;
    attention_ = register_module(
        "self_attn", std::make_shared<MsDeformAttn>(options.attention));
    norm1_ = register_module("norm1", MakeLayerNorm(channels));
    linear1_ = register_module(
        "linear1", torch::nn::Linear(channels, options.feedforward_channels));
    linear2_ = register_module(
        "linear2", torch::nn::Linear(options.feedforward_channels, channels));
    norm2_ = register_module("norm2", MakeLayerNorm(channels));
    XavierUniform(linear1_->weight);
    XavierUniform(linear2_->weight);
  }

  void CopyBiases(const DeformableEncoderLayer& other) {
    const c10::NoGradGuard no_grad;
    linear1_->bias.copy_(other.linear1_->bias);
    linear2_->bias.copy_(other.linear2_->bias);
  }

  // tokens [B, S, C], positions [B or 1, S, C], centres [1, S, L, 2].
  torch::Tensor forward(const torch::Tensor& tokens,
                        const torch::Tensor& positions,
                        const torch::Tensor& centres,
                        at::IntArrayRef level_shapes) {
    const torch::Tensor attended = norm1_->forward(
        Add(tokens, Dropout(attention_->forward(tokens + positions, centres,
                                                tokens, level_shapes))));
    torch::Tensor hidden = linear1_->forward(attended);
    hidden = Dropout(c10::GradMode::is_enabled() ? at::relu(hidden)
                                                 : hidden.relu_());
    return norm2_->forward(Add(attended, Dropout(linear2_->forward(hidden))));
  }

 private:
  torch::Tensor Dropout(const torch::Tensor& x) const {
    return dropout_ > 0 ? at::dropout(x, dropout_, is_training()) : x;
  }

  // x + y; overwrites y where no gradient can need it.
  static torch::Tensor Add(const torch::Tensor& x, torch::Tensor y) {
    return c10::GradMode::is_enabled() ? x + y : y.add_(x);
  }

  const double dropout_;
  std::shared_ptr<MsDeformAttn> attention_;
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  torch::nn::Linear linear1_{nullptr}, linear2_{nullptr};
};

DeformableEncoder::DeformableEncoder(const DeformableEncoderOptions& options)
    : options_(options) {
  TORCH_CHECK(options.num_layers > 0 && options.feedforward_channels > 0,
              "num_layers and feedforward_channels must be positive, got ",
              options.num_layers, " and ", options.feedforward_channels);
  level_embedding_ = register_parameter(
      "level_embed",
      at::empty({options.attention.num_levels, options.attention.channels}));
  {
    const c10::NoGradGuard no_grad;
    level_embedding_.normal_();
  }
  const auto encoder =
      register_module("encoder", std::make_shared<torch::nn::Module>());
  const auto layers =
      encoder->register_module("layers", torch::nn::ModuleList());
  for (int64_t i = 0; i < options.num_layers; ++i) {
    layers_.push_back(std::make_shared<DeformableEncoderLayer>(options));
    layers->push_back(layers_.back());
    if (i > 0) layers_.back()->CopyBiases(*layers_.front());
  }
}

std::vector<torch::Tensor> DeformableEncoder::forward(
    const std::vector<torch::Tensor>& levels,
    const std::vector<torch::Tensor>& positions) {
  const size_t num_levels = static_cast<size_t>(options_.attention.num_levels);
  TORCH_CHECK(levels.size() == num_levels && positions.size() == num_levels,
              "levels and positions must hold ", num_levels, " maps, got ",
              levels.size(), " and ", positions.size());
  std::vector<torch::Tensor> tokens, token_positions;
  std::vector<int64_t> level_shapes;
  std::vector<int64_t> counts;
  for (size_t l = 0; l < num_levels; ++l) {
    CheckShape(levels[l], "level",
               {levels[0].size(0), options_.attention.channels, kAny, kAny});
    const int64_t height = levels[l].size(2);
    const int64_t width = levels[l].size(3);
    CheckShape(positions[l], "positions",
               {kAny, options_.attention.channels, height, width});
    level_shapes.insert(level_shapes.end(), {height, width});
    counts.push_back(height * width);
    tokens.push_back(ToTokens(levels[l]));
    token_positions.push_back(ToTokens(positions[l]) +
                              level_embedding_[static_cast<int64_t>(l)]);
  }
  torch::Tensor x = at::cat(tokens, 1);                 // [B, S, C]
  const torch::Tensor p = at::cat(token_positions, 1);  // [B or 1, S, C]
  const torch::Tensor centres =
      PixelCentres(level_shapes, x)
          .expand({-1, -1, options_.attention.num_levels, -1});
  for (const auto& layer : layers_) {
    x = layer->forward(x, p, centres, level_shapes);
  }
  std::vector<torch::Tensor> result;
  for (const torch::Tensor& level : x.split_with_sizes(counts, 1)) {
    const size_t l = result.size();
    result.push_back(level.transpose(1, 2).view(
        {x.size(0), options_.attention.channels, level_shapes[2 * l],
         level_shapes[2 * l + 1]}));
  }
  return result;
}

}  // namespace mask2former
