#ifndef MASK2FORMER_MODEL_SEMANTIC_LABELS_IN_BANDS_H_
#define MASK2FORMER_MODEL_SEMANTIC_LABELS_IN_BANDS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "mask2former/common/image_size.h"
#include "mask2former/common/mask_prediction.h"

namespace mask2former {

// SemanticLabels() of LibTorch's operations, for any device: as many rows at a
// time as need 8 MiB of upsampled masks, less than 64 MiB in all. Equal to it
// but for rounding.
at::Tensor SemanticLabelsInBands(const MaskPrediction& prediction,
                                 int64_t index, const ImageSize& padded,
                                 const ImageSize& image,
                                 const ImageSize& output,
                                 bool resize_before_scores = false);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_SEMANTIC_LABELS_IN_BANDS_H_
