#ifndef MASK2FORMER_TRAIN_CRITERION_LOSS_NORMALIZER_H_
#define MASK2FORMER_TRAIN_CRITERION_LOSS_NORMALIZER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mask2former/common/mask_target.h"

namespace mask2former {

// What sums over a batch are divided by. Both are known before the model runs,
// so that a batch may be worked off in parts: give every part the normalizer of
// the whole, and the losses (and gradients) of the parts add up to those of the
// whole.
struct LossNormalizer {
  double num_masks = 1;         // Divides the mask and dice losses.
  double class_weight_sum = 1;  // Divides the class loss.
};

// The normalizer of a batch.
//
//   target_counts     N of every image of the whole batch
//   num_queries       Q
//   no_object_weight  as in CriterionConfig
//
// num_masks = max(1, sum of N); class_weight_sum adds 1 for each of the
// min(Q, N) queries that will have a target, no_object_weight for the others.
//
// Workers that average their gradients want num_masks = max(1, sum of N over
// all workers / workers), as published, and class_weight_sum of their own.
LossNormalizer NormalizeByBatch(absl::Span<const int64_t> target_counts,
                                int64_t num_queries, double no_object_weight);

// N of every image.
std::vector<int64_t> TargetCounts(const std::vector<MaskTarget>& targets);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_CRITERION_LOSS_NORMALIZER_H_
