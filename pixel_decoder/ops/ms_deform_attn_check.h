#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CHECK_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CHECK_H_

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_sizes.h"

namespace mask2former::ops {

// Reads the sizes off the arguments of MsDeformAttn(). Every device's function
// begins with this call and takes the arguments' agreement for granted after
// it.
//
// Throws c10::Error if shapes, dtypes or devices disagree, or if S does not fit
// into 31 bits.
MsDeformAttnSizes CheckMsDeformAttn(const at::Tensor& value,
                                    at::IntArrayRef level_shapes,
                                    const at::Tensor& locations,
                                    const at::Tensor& weights);

// The same for MsDeformAttnBackward().
MsDeformAttnSizes CheckMsDeformAttnBackward(const at::Tensor& grad_output,
                                            const at::Tensor& value,
                                            at::IntArrayRef level_shapes,
                                            const at::Tensor& locations,
                                            const at::Tensor& weights);

// The same for MsDeformAttnFused() and MsDeformAttnFusedBackward().
MsDeformAttnSizes CheckMsDeformAttnFused(const at::Tensor& value,
                                         at::IntArrayRef level_shapes,
                                         const at::Tensor& reference_points,
                                         const at::Tensor& offsets,
                                         const at::Tensor& logits);
MsDeformAttnSizes CheckMsDeformAttnFusedBackward(
    const at::Tensor& grad_output, const at::Tensor& value,
    at::IntArrayRef level_shapes, const at::Tensor& reference_points,
    const at::Tensor& offsets, const at::Tensor& logits);

// What the CUDA kernels ask beyond that: throws c10::Error that names the size
// past its limit.
void CheckMsDeformAttnCudaLimits(const MsDeformAttnSizes& sizes);

// The dtype of coordinates beside values of `type`: float, but double for
// double.
at::ScalarType CoordinateType(at::ScalarType type);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CHECK_H_
