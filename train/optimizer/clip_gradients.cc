#include "mask2former/train/optimizer/clip_gradients.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

namespace mask2former {
namespace {

constexpr double kEpsilon = 1e-6;

}  // namespace

at::Tensor ClipGradients(const std::vector<at::Tensor>& gradients,
                         std::optional<double> max_norm, double scale) {
  const at::NoGradGuard no_grad;
  if (gradients.empty()) return at::zeros({});
  const at::Tensor norm =
      at::linalg_vector_norm(at::stack(at::_foreach_norm(gradients, 2))) /
      scale;
  if (max_norm.has_value()) {
    const at::Tensor factor =
        (*max_norm / (norm + kEpsilon)).clamp_max(1) / scale;
    at::_foreach_mul_(gradients, factor);
  } else if (scale != 1) {
    at::_foreach_mul_(gradients, 1 / scale);
  }
  return norm;
}

}  // namespace mask2former
