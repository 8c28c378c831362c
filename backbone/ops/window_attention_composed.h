#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_COMPOSED_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_COMPOSED_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <tuple>

namespace mask2former::ops {

// WindowAttention() as LibTorch's operators, step by step: pad, roll, split,
// multiply, mask, softmax, multiply, join, roll back, crop. Differentiable, of
// any dtype, on any device. Arguments are not checked.
at::Tensor ComposedWindowAttention(const at::Tensor& qkv,
                                   const at::Tensor& padding,
                                   const at::Tensor& position_bias,
                                   int64_t window, int64_t shift);

// Gradients of the above in (qkv, padding, position_bias), given that of the
// result; computes scores and weights once more.
std::tuple<at::Tensor, at::Tensor, at::Tensor> ComposedWindowAttentionBackward(
    const at::Tensor& grad_output, const at::Tensor& qkv,
    const at::Tensor& padding, const at::Tensor& position_bias, int64_t window,
    int64_t shift);

// The same as ComposedWindowAttention() with LibTorch's
// scaled_dot_product_attention for scores, softmax and sum; bias and mask are
// its attn_mask. Where that has a fused kernel (CUDA: float, half and bfloat16,
// heads of a multiple of 8 channels) scores are never in memory, but bias plus
// mask is, once per window. More than 65535 windows, which such kernels cannot
// number, take ComposedWindowAttention().
at::Tensor SdpaWindowAttention(const at::Tensor& qkv, const at::Tensor& padding,
                               const at::Tensor& position_bias, int64_t window,
                               int64_t shift);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_COMPOSED_H_
