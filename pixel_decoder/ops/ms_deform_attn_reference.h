#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_REFERENCE_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_REFERENCE_H_

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

namespace mask2former::ops {

// The meaning of MsDeformAttn(), composed of LibTorch's operations: one
// grid_sample per level, then a weighted sum. Same arguments and result;
// differentiable, slow, large temporaries.
at::Tensor MsDeformAttnReference(const at::Tensor& value,
                                 at::IntArrayRef level_shapes,
                                 const at::Tensor& locations,
                                 const at::Tensor& weights);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_REFERENCE_H_
