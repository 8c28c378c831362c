#ifndef MASK2FORMER_MODEL_SEMANTIC_LABELS_H_
#define MASK2FORMER_MODEL_SEMANTIC_LABELS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "mask2former/common/image_size.h"
#include "mask2former/common/mask_prediction.h"

namespace mask2former {

// The class with the highest score at each pixel: the argmax over classes of
// SemanticInference(), with the same arguments.
//
//   returns  [output.height, output.width] uint8, train ids, on the
//            prediction's device; K may be 256 at most
//
// On a tie the lowest class. Scores are summed in another order than there, so
// that classes within rounding of each other (2e-5, of scores up to the number
// of queries) may change places.
//
// Neither the scores nor any upsampled mask is ever whole in memory, whatever
// the sizes: a few rows at a time are upsampled, squashed, summed and decided,
// on a CPU while they are in the cache. Beyond `prediction` and the labels that
// takes less than 16 MiB per thread (up to 100 queries and 5000 columns), on
// other devices less than 64 MiB.
at::Tensor SemanticLabels(const MaskPrediction& prediction, int64_t index,
                          const ImageSize& padded, const ImageSize& image,
                          const ImageSize& output,
                          bool resize_before_scores = false);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_SEMANTIC_LABELS_H_
