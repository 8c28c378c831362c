#ifndef MASK2FORMER_TRAIN_CRITERION_POINT_LOSSES_H_
#define MASK2FORMER_TRAIN_CRITERION_POINT_LOSSES_H_

#include <ATen/core/Tensor.h>

namespace mask2former {

// Losses of masks known at T points each.
//
//   logits   [n, T]  x, float or double
//   labels   [n, T]  t, in 0..1, same dtype
//   returns  scalar, summed over masks; 0 if there are none

// Binary cross entropy of sigmoid(x) and t, mean over points.
at::Tensor CrossEntropyOfPoints(const at::Tensor& logits,
                                const at::Tensor& labels);

// 1 - (2 s.t + 1) / (sum s + sum t + 1), s = sigmoid(x).
//
// Source: Milletari et al., "V-Net", 3DV 2016, section 3, with no squares in
// the denominator and 1 added to both sides, as published for Mask2Former.
at::Tensor DiceOfPoints(const at::Tensor& logits, const at::Tensor& labels);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_CRITERION_POINT_LOSSES_H_
