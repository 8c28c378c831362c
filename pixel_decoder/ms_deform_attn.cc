#include "mask2former/pixel_decoder/ms_deform_attn.h"

#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "mask2former/common/layers/initialization.h"
#include "mask2former/common/tensor_shape.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_fused.h"

namespace mask2former {
namespace {

constexpr double kTwoPi = 6.283185307179586;

// [M, L, P, 2]: head m points to angle 2 pi m / M, on a square; point p lies
// p + 1 of its half sides away.
torch::Tensor Ring(const MsDeformAttnOptions& options) {
  std::vector<double> ring;
  for (int64_t m = 0; m < options.num_heads; ++m) {
    const double angle = kTwoPi * static_cast<double>(m) /
                         static_cast<double>(options.num_heads);
    const double x = std::cos(angle);
    const double y = std::sin(angle);
    const double scale = 1 / std::max(std::abs(x), std::abs(y));
    for (int64_t l = 0; l < options.num_levels; ++l) {
      for (int64_t p = 1; p <= options.num_points; ++p) {
        ring.push_back(x * scale * static_cast<double>(p));
        ring.push_back(y * scale * static_cast<double>(p));
      }
    }
  }
  return at::tensor(ring, at::kDouble);
}

}  // namespace

MsDeformAttn::MsDeformAttn(const MsDeformAttnOptions& options)
    : options_(options) {
  TORCH_CHECK(options.channels > 0 && options.num_levels > 0 &&
                  options.num_heads > 0 && options.num_points > 0,
              "channels, num_levels, num_heads and num_points must be positive"
              ", got ",
              options.channels, ", ", options.num_levels, ", ",
              options.num_heads, " and ", options.num_points);
  TORCH_CHECK(options.channels % options.num_heads == 0, "num_heads (",
              options.num_heads, ") must divide channels (", options.channels,
              ")");
  const int64_t points =
      options.num_heads * options.num_levels * options.num_points;
  offsets_ = register_module("sampling_offsets",
                             torch::nn::Linear(options.channels, 2 * points));
  weights_ = register_module("attention_weights",
                             torch::nn::Linear(options.channels, points));
  value_ = register_module(
      "value_proj", torch::nn::Linear(options.channels, options.channels));
  output_ = register_module(
      "output_proj", torch::nn::Linear(options.channels, options.channels));

  const c10::NoGradGuard no_grad;
  offsets_->weight.zero_();
  offsets_->bias.copy_(Ring(options));
  weights_->weight.zero_();
  weights_->bias.zero_();
  XavierUniform(value_->weight);
  value_->bias.zero_();
  XavierUniform(output_->weight);
  output_->bias.zero_();
}

torch::Tensor MsDeformAttn::forward(const torch::Tensor& queries,
                                    const torch::Tensor& reference_points,
                                    const torch::Tensor& values,
                                    at::IntArrayRef level_shapes) {
  const int64_t num_levels = options_.num_levels;
  CheckShape(queries, "queries", {kAny, kAny, options_.channels});
  const int64_t batch = queries.size(0);
  const int64_t num_queries = queries.size(1);
  CheckShape(values, "values", {batch, kAny, options_.channels});
  CheckShape(
      reference_points, "reference_points",
      {reference_points.dim() > 0 && reference_points.size(0) == 1 ? 1 : batch,
       num_queries, num_levels, 2});
  TORCH_CHECK(static_cast<int64_t>(level_shapes.size()) == 2 * num_levels,
              "level_shapes must hold ", num_levels, " (H, W) pairs, got ",
              level_shapes);
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(
      c10::autocast_dispatch_keyset);
  const auto dtype = value_->weight.scalar_type();
  const torch::Tensor own_queries = queries.to(dtype);

  const int64_t heads = options_.num_heads;
  const int64_t num_points = options_.num_points;
  const torch::Tensor value =
      value_->forward(values.to(dtype))
          .view({batch, -1, heads, options_.channels / heads});

  const torch::Tensor points = reference_points.to(
      dtype == torch::kDouble ? torch::kDouble : torch::kFloat);
  const torch::Tensor offsets =
      offsets_->forward(own_queries)
          .view({batch, num_queries, heads, num_levels, num_points, 2});
  const torch::Tensor logits =
      weights_->forward(own_queries)
          .view({batch, num_queries, heads, num_levels, num_points});
  return output_->forward(
      ops::MsDeformAttnFused(value, level_shapes, points, offsets, logits));
}

}  // namespace mask2former
