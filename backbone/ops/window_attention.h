#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <tuple>

namespace mask2former::ops {

// Self-attention inside the windows of `window` x `window` positions that tile
// a map, after the map has been rolled up and left by `shift`.
//
//   qkv            [B, H, W, 3 C]  of each position a query, a key and a value,
//                                  each of M heads with D = C / M channels
//   padding        [3 C]           the same of the positions that are added
//                                  right and below to fill the last windows;
//                                  they are attended to like any other
//   position_bias  [M, T, T]       added to the scores, which are q k / sqrt D;
//                                  T = window^2, row-major in the window
//   window         at least 1
//   shift          0 .. window - 1
//   returns        [B, H, W, C]    heads side by side
//
// With a shift, the windows of the last row and column hold positions from
// opposite sides of the map: 100 is subtracted from scores between the parts
// (not infinity, as in the published implementation). A map smaller than the
// window is one window, shifted all the same.
//
// The first three are floating point, of one dtype and on one device. One pass
// over the windows, which keeps nothing but its arguments for the backward pass
// (that computes the scores once more), takes
//
//   on a CPU   float32, windows of 3 or more, D a multiple of 32; of half and
//              double types and other sizes, ComposedWindowAttention()
//   on CUDA    float32, half and bfloat16, windows of up to 12, D = 32, in
//              float32 arithmetic, in a build with --config=cuda; else, and on
//              any other device, SdpaWindowAttention(): LibTorch's
//              scaled_dot_product_attention with the bias as its mask, and that
//              operator's own gradient
//
// Kernels and ComposedWindowAttention() are deterministic in both directions;
// they differ by rounding. Differentiable once. Where no position is added, the
// gradient of padding is zeros from the kernels and undefined from LibTorch's
// operators.
//
// Throws c10::Error on any other shape, dtype or device.
//
// Source: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using
// Shifted Windows", ICCV 2021, section 3.2.
at::Tensor WindowAttention(const at::Tensor& qkv, const at::Tensor& padding,
                           const at::Tensor& position_bias, int64_t window,
                           int64_t shift);

// Gradients of WindowAttention() in (qkv, padding, position_bias), shaped as
// they are; `grad_output` is [B, H, W, C] and of their dtype. Called by
// autograd for the kernels; public for tests.
std::tuple<at::Tensor, at::Tensor, at::Tensor> WindowAttentionBackward(
    const at::Tensor& grad_output, const at::Tensor& qkv,
    const at::Tensor& padding, const at::Tensor& position_bias, int64_t window,
    int64_t shift);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_H_
