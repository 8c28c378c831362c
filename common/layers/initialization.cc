#include "mask2former/common/layers/initialization.h"

#include <c10/core/GradMode.h>
#include <c10/util/Exception.h>

#include <cmath>

namespace mask2former {
namespace {

double FanIn(const at::Tensor& weight) {
  TORCH_CHECK(weight.dim() >= 2,
              "weight must have two dimensions or more, got ", weight.dim());
  return static_cast<double>(weight.numel()) / weight.size(0);
}

double FanOut(const at::Tensor& weight) {
  TORCH_CHECK(weight.dim() >= 2,
              "weight must have two dimensions or more, got ", weight.dim());
  return static_cast<double>(weight.numel()) / weight.size(1);
}

void Uniform(const at::Tensor& tensor, double bound) {
  const c10::AutoGradMode no_grad(false);
  tensor.uniform_(-bound, bound);
}

}  // namespace

void XavierUniform(const at::Tensor& weight) {
  Uniform(weight, std::sqrt(6 / (FanIn(weight) + FanOut(weight))));
}

void KaimingNormalFanOut(const at::Tensor& weight) {
  const c10::AutoGradMode no_grad(false);
  weight.normal_(0, std::sqrt(2 / FanOut(weight)));
}

void UniformFanIn(const at::Tensor& weight) {
  Uniform(weight, std::sqrt(3 / FanIn(weight)));
}

void DefaultUniform(const at::Tensor& weight) {
  Uniform(weight, 1 / std::sqrt(FanIn(weight)));
}

void DefaultUniformBias(const at::Tensor& bias, const at::Tensor& weight) {
  Uniform(bias, 1 / std::sqrt(FanIn(weight)));
}

}  // namespace mask2former
