#include "mask2former/backbone/ops/window_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "mask2former/backbone/ops/window_attention_composed.h"
#include "mask2former/backbone/ops/window_attention_cpu_kernel.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

void Check(const at::Tensor& qkv, const at::Tensor& padding,
           const at::Tensor& position_bias, int64_t window, int64_t shift) {
  TORCH_CHECK(window >= 1 && shift >= 0 && shift < window, "shift (", shift,
              ") must be in 0 .. window - 1, window ", window);
  CheckShape(qkv, "qkv", {kAny, kAny, kAny, kAny});
  CheckShape(padding, "padding", {qkv.size(3)});
  CheckShape(position_bias, "position_bias",
             {kAny, window * window, window * window});
  TORCH_CHECK(position_bias.size(0) > 0 &&
                  qkv.size(3) % (3 * position_bias.size(0)) == 0,
              "channels of qkv (", qkv.size(3),
              ") must be a multiple of 3 times the heads of position_bias (",
              position_bias.size(0), ")");
  TORCH_CHECK(qkv.is_floating_point() &&
                  qkv.scalar_type() == padding.scalar_type() &&
                  qkv.scalar_type() == position_bias.scalar_type(),
              "qkv, padding and position_bias must be of one floating-point "
              "type, got ",
              qkv.scalar_type(), ", ", padding.scalar_type(), " and ",
              position_bias.scalar_type());
}

// Whether the kernel of window_attention_cpu.cc can do it.
bool HasKernel(const at::Tensor& qkv, const at::Tensor& position_bias,
               int64_t window, int64_t shift) {
  const int64_t heads = position_bias.size(0);
  return qkv.is_cpu() && qkv.scalar_type() == at::kFloat &&
         KernelTakes({qkv.size(0), qkv.size(1), qkv.size(2), heads,
                      qkv.size(3) / 3 / heads, window, shift});
}

at::Tensor CallKernel(const at::Tensor& qkv, const at::Tensor& padding,
                      const at::Tensor& position_bias, int64_t window,
                      int64_t shift) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mask2former::window_attention", "")
          .typed<decltype(WindowAttention)>();
  return op.call(qkv, padding, position_bias, window, shift);
}

// Keeps no scores: the backward pass computes them once more.
struct KernelWithGradient : torch::autograd::Function<KernelWithGradient> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv,
                            const at::Tensor& padding,
                            const at::Tensor& position_bias, int64_t window,
                            int64_t shift) {
    context->save_for_backward({qkv, padding, position_bias});
    context->saved_data["window"] = window;
    context->saved_data["shift"] = shift;
    const at::AutoDispatchBelowADInplaceOrView below_autograd;
    return CallKernel(qkv, padding, position_bias, window, shift);
  }

  static variable_list backward(AutogradContext* context,
                                variable_list grad_outputs) {
    variable_list inputs = context->get_saved_variables();
    variable_list wanted;
    for (at::Tensor& input : inputs) {
      input = input.detach().requires_grad_(input.requires_grad());
      if (input.requires_grad()) wanted.push_back(input);
    }
    const at::AutoGradMode grad_mode(true);
    const at::Tensor output = ComposedWindowAttention(
        inputs[0], inputs[1], inputs[2], context->saved_data["window"].toInt(),
        context->saved_data["shift"].toInt());
    const variable_list grads =
        torch::autograd::grad({output}, wanted, grad_outputs,
                              /*retain_graph=*/false, /*create_graph=*/false,
                              /*allow_unused=*/true);
    variable_list results(5);  // None for the numbers.
    size_t next = 0;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].requires_grad()) results[i] = grads[next++];
    }
    return results;
  }
};

}  // namespace

at::Tensor WindowAttention(const at::Tensor& qkv, const at::Tensor& padding,
                           const at::Tensor& position_bias, int64_t window,
                           int64_t shift) {
  Check(qkv, padding, position_bias, window, shift);
  // Fused kernels number windows in 16 bits.
  const int64_t windows =
      qkv.size(0) * (qkv.size(1) / window + 1) * (qkv.size(2) / window + 1);
  if (!qkv.is_cpu() && windows <= 65535) {
    return SdpaWindowAttention(qkv, padding, position_bias, window, shift);
  }
  if (!HasKernel(qkv, position_bias, window, shift)) {
    return ComposedWindowAttention(qkv, padding, position_bias, window, shift);
  }
  return at::GradMode::is_enabled()
             ? KernelWithGradient::apply(qkv, padding, position_bias, window,
                                         shift)
             : CallKernel(qkv, padding, position_bias, window, shift);
}

TORCH_LIBRARY_FRAGMENT(mask2former, m) {
  m.def(
      "window_attention(Tensor qkv, Tensor padding, Tensor position_bias, "
      "int window, int shift) -> Tensor");
}

}  // namespace mask2former::ops
