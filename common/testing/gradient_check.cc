#include "mask2former/common/testing/gradient_check.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>

namespace mask2former {

testing::AssertionResult GradientsMatch(
    const std::function<at::Tensor(const std::vector<at::Tensor>&)>& function,
    const std::vector<at::Tensor>& inputs, double step, double tolerance) {
  std::vector<at::Tensor> variables;
  for (const at::Tensor& input : inputs) {
    if (input.scalar_type() != at::kDouble) {
      return testing::AssertionFailure() << "inputs must be double";
    }
    variables.push_back(input.detach().clone().contiguous().requires_grad_());
  }
  const at::Tensor output = function(variables);
  const at::Tensor weights = at::randn(
      output.sizes(), at::detail::createCPUGenerator(7), output.options());
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad({(output * weights).sum()}, variables);

  at::NoGradGuard no_grad;
  for (size_t i = 0; i < variables.size(); ++i) {
    const at::Tensor gradient = gradients[i].contiguous().view(-1);
    at::Tensor flat = variables[i].detach().view(-1);  // Shares memory.
    for (int64_t j = 0; j < flat.numel(); ++j) {
      const double original = flat[j].item<double>();
      flat[j] = original + step;
      const double above = (function(variables) * weights).sum().item<double>();
      flat[j] = original - step;
      const double below = (function(variables) * weights).sum().item<double>();
      flat[j] = original;
      const double numeric = (above - below) / (2 * step);
      const double analytic = gradient[j].item<double>();
      const double scale = 1 + std::max(std::abs(numeric), std::abs(analytic));
      if (!(std::abs(numeric - analytic) <= tolerance * scale)) {
        return testing::AssertionFailure()
               << "input " << i << ", element " << j << ": backward says "
               << analytic << ", central differences say " << numeric;
      }
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace mask2former
