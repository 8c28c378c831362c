#include "mask2former/common/layers/sine_position_embedding.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>
#include <c10/util/Exception.h>

namespace mask2former {
namespace {

constexpr double kTemperature = 10000;
constexpr double kTwoPi = 6.283185307179586;
constexpr double kEpsilon = 1e-6;

// [length, features], one row per position.
at::Tensor EmbedAxis(int64_t length, int64_t features,
                     at::TensorOptions options) {
  const at::Tensor angle =
      at::arange(1, length + 1, options) / (length + kEpsilon) * kTwoPi;
  const at::Tensor pair = at::arange(features / 2, options);
  const at::Tensor divisor = at::pow(kTemperature, 2 * pair / features);
  const at::Tensor phase = angle.unsqueeze(1) / divisor;  // [length, F / 2]
  return at::stack({at::sin(phase), at::cos(phase)}, 2).flatten(1);
}

}  // namespace

at::Tensor SinePositionEmbedding(int64_t height, int64_t width,
                                 int64_t channels, at::TensorOptions options) {
  TORCH_CHECK(height > 0 && width > 0,
              "height and width must be positive, got ", height, " and ",
              width);
  TORCH_CHECK(channels > 0 && channels % 4 == 0,
              "channels must be a positive multiple of 4, got ", channels);
  const int64_t features = channels / 2;
  const at::TensorOptions float_options = options.dtype(at::kFloat);
  const at::Tensor rows = EmbedAxis(height, features, float_options)
                              .t()
                              .unsqueeze(2)
                              .expand({features, height, width});
  const at::Tensor columns = EmbedAxis(width, features, float_options)
                                 .t()
                                 .unsqueeze(1)
                                 .expand({features, height, width});
  return at::cat({rows, columns}).unsqueeze(0).to(options);
}

}  // namespace mask2former
