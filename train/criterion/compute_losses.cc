#include "mask2former/train/criterion/compute_losses.h"

#include <ATen/TensorOperators.h>

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_prefix.h"

namespace mask2former {

absl::StatusOr<BatchLosses> ComputeLosses(
    const std::vector<MaskPrediction>& predictions,
    const std::vector<MaskTarget>& targets, const Matcher& matcher,
    const SetCriterion& criterion, const LossNormalizer& normalizer,
    PointSource& points) {
  TORCH_CHECK(!predictions.empty(), "there must be a prediction");
  std::vector<size_t> order = {predictions.size() - 1};
  if (criterion.config().deep_supervision()) {
    for (size_t i = 0; i + 1 < predictions.size(); ++i) order.push_back(i);
  }

  BatchLosses result;
  for (const size_t i : order) {
    absl::StatusOr<std::vector<Assignment>> assignments =
        matcher.Match(predictions[i], targets, points);
    if (!assignments.ok()) {
      return WithPrefix(absl::StrCat("prediction ", i, ": "),
                        assignments.status());
    }
    result.layers.push_back(criterion.Compute(
        predictions[i], targets, *assignments, normalizer, points));
    result.assignments.push_back(*std::move(assignments));
    const at::Tensor total = criterion.Total(result.layers.back());
    result.total = result.total.defined() ? result.total + total : total;
  }
  return result;
}

}  // namespace mask2former
