#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_FUSED_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_FUSED_H_

// Multi-scale deformable attention on what a network's linear layers return:
// locations and weights are made where they are used, in registers, and never
// stand in memory. The backward direction makes them once more.

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <tuple>

namespace mask2former::ops {

// MsDeformAttn() at reference_points + offsets / (W, H), weighted by the
// softmax of every query's and head's L P logits.
//
//   value             [B, S, M, D]        levels one after another
//   level_shapes      {H_0, W_0, H_1, ..}
//   reference_points  [B or 1, Q, L, 2]   (x, y), 0 .. 1 across a level
//   offsets           [B, Q, M, L, P, 2]  (x, y), in pixels of the level
//   logits            [B, Q, M, L, P]
//   returns           [B, Q, M * D]       dtype and device of `value`
//
// Differentiable once in all tensors. reference_points are double beside double
// values, else float; offsets and logits both so or both of the dtype of
// `value`. A NaN logit makes its query and head NaN. The rest is as with
// MsDeformAttn().
//
// Throws c10::Error if shapes, dtypes or devices disagree.
at::Tensor MsDeformAttnFused(const at::Tensor& value,
                             at::IntArrayRef level_shapes,
                             const at::Tensor& reference_points,
                             const at::Tensor& offsets,
                             const at::Tensor& logits);

// Gradients of MsDeformAttnFused() in (value, offsets, logits), shaped as they
// are; `grad_output` is [B, Q, M * D]. That of a reference point is the sum
// over heads and points of its offsets' gradients, times (W, H).
std::tuple<at::Tensor, at::Tensor, at::Tensor> MsDeformAttnFusedBackward(
    const at::Tensor& grad_output, const at::Tensor& value,
    at::IntArrayRef level_shapes, const at::Tensor& reference_points,
    const at::Tensor& offsets, const at::Tensor& logits);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_FUSED_H_
