#ifndef MASK2FORMER_MODEL_SEMANTIC_INFERENCE_H_
#define MASK2FORMER_MODEL_SEMANTIC_INFERENCE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "mask2former/common/image_size.h"
#include "mask2former/common/mask_prediction.h"

namespace mask2former {

// Scores of one image of a batch at any size: the sum of the queries' masks,
// weighted by class. That of class c at a pixel is
// sum_q softmax(class_logits)[q, c] * sigmoid(mask_logits)[q], without the last
// class, "no object"; it is not normalised and may exceed 1.
//
//   prediction  of a batch padded to `padded`
//   index       which image of the batch
//   image       its size before padding
//   output      the size wanted, usually that of the original file
//   returns     [K, output.height, output.width] float
//
// Mask logits are resized bilinearly to `padded`. Then either they become
// scores, which are cropped to `image` and resized to `output` (the semantic
// configurations), or, with `resize_before_scores`, the logits are cropped and
// resized and then become scores (instance and panoptic). The two differ, for
// the sigmoid lies between.
//
// Works through the queries in groups, so that it needs a few maps of the
// padded size and not Q of them.
//
// Source: Cheng et al., CVPR 2022, section 3.4; spec of the official code.
at::Tensor SemanticInference(const MaskPrediction& prediction, int64_t index,
                             const ImageSize& padded, const ImageSize& image,
                             const ImageSize& output,
                             bool resize_before_scores = false);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_SEMANTIC_INFERENCE_H_
