#ifndef MASK2FORMER_COMMON_MASK_PREDICTION_H_
#define MASK2FORMER_COMMON_MASK_PREDICTION_H_

#include <ATen/core/Tensor.h>

namespace mask2former {

// What one prediction head call of a transformer decoder says of a batch: Q
// pairs of a class and a mask.
struct MaskPrediction {
  at::Tensor class_logits;  // [B, Q, K + 1]; the last is "no object".
  at::Tensor mask_logits;   // [B, Q, H/4, W/4] of the padded input H x W.
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_MASK_PREDICTION_H_
