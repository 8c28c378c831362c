// What needs no kernel of ours: on devices that have none, and the gradient on
// a CPU.

#include <torch/library.h>

#include <tuple>

#include "mask2former/backbone/ops/window_attention_check.h"
#include "mask2former/backbone/ops/window_attention_composed.h"

namespace mask2former::ops {
namespace {

at::Tensor WindowAttentionAnyDevice(const at::Tensor& qkv,
                                    const at::Tensor& padding,
                                    const at::Tensor& position_bias,
                                    int64_t window, int64_t shift) {
  CheckWindowAttention(qkv, padding, position_bias, window, shift);
  return SdpaWindowAttention(qkv, padding, position_bias, window, shift);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> WindowAttentionBackwardAnyDevice(
    const at::Tensor& grad_output, const at::Tensor& qkv,
    const at::Tensor& padding, const at::Tensor& position_bias, int64_t window,
    int64_t shift) {
  CheckWindowAttentionBackward(grad_output, qkv, padding, position_bias, window,
                               shift);
  return ComposedWindowAttentionBackward(grad_output, qkv, padding,
                                         position_bias, window, shift);
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CPU, m) {
  m.impl("window_attention_backward", &WindowAttentionBackwardAnyDevice);
}

TORCH_LIBRARY_IMPL(mask2former, CompositeImplicitAutograd, m) {
  m.impl("window_attention", &WindowAttentionAnyDevice);
  m.impl("window_attention_backward", &WindowAttentionBackwardAnyDevice);
}

}  // namespace mask2former::ops
