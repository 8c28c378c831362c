#include <torch/library.h>

#include <tuple>

#include "mask2former/backbone/ops/window_attention_check.h"
#include "mask2former/backbone/ops/window_attention_composed.h"

namespace mask2former::ops {
namespace {

// LibTorch's fused attention, which needs no kernels of ours: this file is in
// every build.
at::Tensor WindowAttentionCuda(const at::Tensor& qkv, const at::Tensor& padding,
                               const at::Tensor& position_bias, int64_t window,
                               int64_t shift) {
  CheckWindowAttention(qkv, padding, position_bias, window, shift);
  return SdpaWindowAttention(qkv, padding, position_bias, window, shift);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> WindowAttentionBackwardCuda(
    const at::Tensor& grad_output, const at::Tensor& qkv,
    const at::Tensor& padding, const at::Tensor& position_bias, int64_t window,
    int64_t shift) {
  CheckWindowAttentionBackward(grad_output, qkv, padding, position_bias, window,
                               shift);
  return ComposedWindowAttentionBackward(grad_output, qkv, padding,
                                         position_bias, window, shift);
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CUDA, m) {
  m.impl("window_attention", &WindowAttentionCuda);
  m.impl("window_attention_backward", &WindowAttentionBackwardCuda);
}

// Other devices than CUDA and CPU, whose gradient is that of the steps.
TORCH_LIBRARY_IMPL(mask2former, CompositeImplicitAutograd, m) {
  m.impl("window_attention", &WindowAttentionCuda);
}

}  // namespace mask2former::ops
