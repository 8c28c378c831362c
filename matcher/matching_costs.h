#ifndef MASK2FORMER_MATCHER_MATCHING_COSTS_H_
#define MASK2FORMER_MATCHER_MATCHING_COSTS_H_

#include <ATen/core/Tensor.h>

namespace mask2former {

// What it costs to let a query answer for a target, in three terms. All run in
// float (double for double input), also under autocast.

// Minus the probability of the target's class.
//
//   class_logits  [Q, K + 1]
//   labels        [N]         int64, 0 .. K - 1
//   returns       [Q, N]
at::Tensor ClassCost(const at::Tensor& class_logits, const at::Tensor& labels);

struct MaskCosts {
  at::Tensor mask;  // [Q, N], binary cross entropy, mean over points.
  at::Tensor dice;  // [Q, N], 1 - (2 s.t + 1) / (sum s + sum t + 1).
};

// Compares masks read at the same T points.
//
//   point_logits  [Q, T]  x; s = sigmoid(x)
//   point_labels  [N, T]  t, in 0..1
//
// Two matrix products: softplus(-x) = softplus(x) - x turns the sum over points
// of t softplus(-x) + (1 - t) softplus(x) into softplus(x).1 - x.t, so that
// cross entropy, like dice, needs one product and sums over rows.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, section 3.3; costs as in the published code.
MaskCosts ComputeMaskCosts(const at::Tensor& point_logits,
                           const at::Tensor& point_labels);

}  // namespace mask2former

#endif  // MASK2FORMER_MATCHER_MATCHING_COSTS_H_
