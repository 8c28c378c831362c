#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "mask2former/backbone/ops/window_attention.h"
#include "mask2former/backbone/ops/window_attention_check.h"
#include "mask2former/backbone/ops/window_attention_composed.h"

namespace mask2former::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Keeps no scores: the backward direction computes them once more.
class WindowAttentionFunction
    : public torch::autograd::Function<WindowAttentionFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv,
                            const at::Tensor& padding,
                            const at::Tensor& position_bias, int64_t window,
                            int64_t shift) {
    at::AutoDispatchBelowADInplaceOrView guard;
    context->save_for_backward({qkv, padding, position_bias});
    context->saved_data["window"] = window;
    context->saved_data["shift"] = shift;
    return WindowAttention(qkv, padding, position_bias, window, shift);
  }

  static variable_list backward(AutogradContext* context,
                                const variable_list& grad_outputs) {
    const variable_list saved = context->get_saved_variables();
    auto [grad_qkv, grad_padding, grad_position_bias] =
        WindowAttentionBackward(grad_outputs[0], saved[0], saved[1], saved[2],
                                context->saved_data["window"].toInt(),
                                context->saved_data["shift"].toInt());
    return {grad_qkv, grad_padding, grad_position_bias, at::Tensor(),
            at::Tensor()};
  }
};

bool HasKernel(const at::Tensor& qkv, const WindowAttentionSizes& sizes) {
  return qkv.is_cpu() ? HasCpuKernel(qkv.scalar_type(), sizes)
                      : HasCudaKernel(qkv.scalar_type(), sizes);
}

// Where LibTorch's operators compute it they also know its gradient. Called for
// devices that a kernel is registered for, CPUs and, in builds with CUDA, GPUs:
// for others the dispatcher prefers what is composed for any device.
at::Tensor WindowAttentionAutograd(const at::Tensor& qkv,
                                   const at::Tensor& padding,
                                   const at::Tensor& position_bias,
                                   int64_t window, int64_t shift) {
  const WindowAttentionSizes sizes =
      CheckWindowAttention(qkv, padding, position_bias, window, shift);
  if (HasKernel(qkv, sizes)) {
    return WindowAttentionFunction::apply(qkv, padding, position_bias, window,
                                          shift);
  }
  const auto attend =
      qkv.is_cpu() ? ComposedWindowAttention : SdpaWindowAttention;
  return attend(qkv, padding, position_bias, window, shift);
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, Autograd, m) {
  m.impl("window_attention", &WindowAttentionAutograd);
  // Without it a second derivative would silently lack a part.
  m.impl("window_attention_backward",
         torch::autograd::autogradNotImplementedFallback());
}

}  // namespace mask2former::ops
