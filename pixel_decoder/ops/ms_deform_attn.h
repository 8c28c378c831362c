#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_H_

// Multi-scale deformable attention: every query reads P points of each of L
// feature maps, at positions it chose itself, and sums what it read with
// weights it chose itself. Cost is O(B Q M L P D), whatever the map sizes.
//
// Source: Zhu et al., "Deformable DETR", ICLR 2021, equation 3.

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <tuple>

namespace mask2former::ops {

// Samples `value` bilinearly at `locations` and returns the weighted sums.
//
//   value         [B, S, M, D]        levels one after another, S = sum H_l W_l
//   level_shapes  {H_0, W_0, H_1, ..} 2 L numbers, on the host
//   locations     [B, Q, M, L, P, 2]  (x, y); (0, 0) and (1, 1) are the outer
//                                     corners of the level's corner pixels
//   weights       [B, Q, M, L, P]     any real numbers; usually sum to 1
//   returns       [B, Q, M * D]       dtype and device of `value`
//
// Pixels outside a level read as 0; a location that is NaN, or a pixel or more
// outside its level, reads nothing and gets a zero gradient. Differentiable
// once in `value`, `locations` and `weights`. Values are float, double, half or
// bfloat16; locations and weights are double beside double values, else float,
// for halves cannot tell the pixels of a large map apart. Sums are at least
// float. All tensors are on one device.
//
// The CPU kernels are deterministic and give the same bits for any number of
// threads; they compute halves in float. The CUDA kernels know no double, and
// their gradient of `value` changes in the last bits from run to run unless
// at::globalContext().deterministicAlgorithms() is set.
//
// Throws c10::Error if shapes, dtypes or devices disagree.
at::Tensor MsDeformAttn(const at::Tensor& value, at::IntArrayRef level_shapes,
                        const at::Tensor& locations, const at::Tensor& weights);

// Gradients of MsDeformAttn() in (value, locations, weights), shaped as they
// are; `grad_output` is [B, Q, M * D]. Called by autograd; public for tests and
// benchmarks.
std::tuple<at::Tensor, at::Tensor, at::Tensor> MsDeformAttnBackward(
    const at::Tensor& grad_output, const at::Tensor& value,
    at::IntArrayRef level_shapes, const at::Tensor& locations,
    const at::Tensor& weights);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_H_
