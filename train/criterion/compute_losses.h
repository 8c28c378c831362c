#ifndef MASK2FORMER_TRAIN_CRITERION_COMPUTE_LOSSES_H_
#define MASK2FORMER_TRAIN_CRITERION_COMPUTE_LOSSES_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/common/assignment.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/common/mask_target.h"
#include "mask2former/common/random_points.h"
#include "mask2former/matcher/matcher.h"
#include "mask2former/train/criterion/loss_normalizer.h"
#include "mask2former/train/criterion/set_criterion.h"

namespace mask2former {

// The losses of every supervised prediction, in the order in which they are
// computed: [0] belongs to the last prediction, the model's answer, [1 + i] to
// predictions[i], an auxiliary one.
struct BatchLosses {
  std::vector<LayerLosses> layers;
  std::vector<std::vector<Assignment>> assignments;  // [layer][image]
  at::Tensor total;  // Weighted sum of all terms; call backward() on it.
};

// Matches and judges what a transformer decoder returns.
//
//   predictions  at least one; the last is the model's answer. The others count
//                the same, unless deep_supervision is off
//   normalizer   see loss_normalizer.h
//   points       asked per prediction, in the order of BatchLosses: by the
//                matcher once per image, then by the criterion
//
// Returns the matcher's error, preceded by the number of the prediction.
absl::StatusOr<BatchLosses> ComputeLosses(
    const std::vector<MaskPrediction>& predictions,
    const std::vector<MaskTarget>& targets, const Matcher& matcher,
    const SetCriterion& criterion, const LossNormalizer& normalizer,
    PointSource& points);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_CRITERION_COMPUTE_LOSSES_H_
