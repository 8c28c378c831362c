#ifndef MASK2FORMER_COMMON_LAYERS_SINE_POSITION_EMBEDDING_H_
#define MASK2FORMER_COMMON_LAYERS_SINE_POSITION_EMBEDDING_H_

#include <ATen/core/Tensor.h>
#include <c10/core/TensorOptions.h>

#include <cstdint>

namespace mask2former {

// Describes every place of a map by sines and cosines of its row and column.
//
//   height, width  size of the map, at least 1
//   channels       C, a positive multiple of 4
//   options        dtype and device of the result
//   returns        [1, C, height, width]
//
// Row y counts as (y + 1) / height of a full turn, so the last row is 2 pi; the
// columns likewise. The first C / 2 channels hold the row, the others the
// column; even channels are sines, odd ones cosines, and each pair turns
// slower than the one before, down to 1 / 10000 of a full turn. Computed in
// float32 whatever the dtype of the result.
//
// Throws c10::Error on sizes out of range.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, section 4.1; Carion et al., "End-to-End Object
// Detection with Transformers", ECCV 2020, appendix A.4.
at::Tensor SinePositionEmbedding(int64_t height, int64_t width,
                                 int64_t channels, at::TensorOptions options);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_LAYERS_SINE_POSITION_EMBEDDING_H_
