#include "mask2former/train/criterion/set_criterion.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/check_mask_targets.h"
#include "mask2former/common/point_sample.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/train/criterion/point_losses.h"
#include "mask2former/train/criterion/uncertain_points.h"

namespace mask2former {
namespace {

absl::Status Validate(const CriterionConfig& config) {
  if (!(config.no_object_weight() > 0 &&
        std::isfinite(config.no_object_weight()))) {
    return absl::InvalidArgumentError(
        absl::StrCat("criterion: no_object_weight must be positive, got ",
                     config.no_object_weight()));
  }
  for (const auto& [name, weight] :
       {std::pair{"class_weight", config.class_weight()},
        std::pair{"mask_weight", config.mask_weight()},
        std::pair{"dice_weight", config.dice_weight()}}) {
    if (!(weight >= 0 && std::isfinite(weight))) {
      return absl::InvalidArgumentError(absl::StrCat(
          "criterion: ", name, " must be at least 0 and finite, got ", weight));
    }
  }
  if (config.num_points() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "criterion: num_points must be positive, got ", config.num_points()));
  }
  if (!(config.oversample_ratio() >= 1 &&
        std::isfinite(config.oversample_ratio()))) {
    return absl::InvalidArgumentError(
        absl::StrCat("criterion: oversample_ratio must be at least 1, got ",
                     config.oversample_ratio()));
  }
  if (!(config.importance_sample_ratio() >= 0 &&
        config.importance_sample_ratio() <= 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("criterion: importance_sample_ratio must be in 0..1, got ",
                     config.importance_sample_ratio()));
  }
  return absl::OkStatus();
}

// Double stays, everything else becomes float.
at::Tensor ToLossType(const at::Tensor& tensor) {
  return tensor.to(tensor.scalar_type() == at::kDouble ? at::kDouble
                                                       : at::kFloat);
}

void CheckAssignments(const MaskPrediction& prediction,
                      const std::vector<MaskTarget>& targets,
                      const std::vector<Assignment>& assignments) {
  TORCH_CHECK(assignments.size() == targets.size(), "there must be ",
              targets.size(), " assignments, one per image, got ",
              assignments.size());
  const int64_t num_queries = prediction.class_logits.size(1);
  for (size_t b = 0; b < targets.size(); ++b) {
    const Assignment& pairs = assignments[b];
    TORCH_CHECK(pairs.queries.size() == pairs.targets.size(), "assignment has ",
                pairs.queries.size(), " queries and ", pairs.targets.size(),
                " targets");
    for (size_t i = 0; i < pairs.queries.size(); ++i) {
      TORCH_CHECK(pairs.queries[i] >= 0 && pairs.queries[i] < num_queries &&
                      pairs.targets[i] >= 0 &&
                      pairs.targets[i] < targets[b].labels.size(0),
                  "image ", b, " has no query ", pairs.queries[i],
                  " or no target ", pairs.targets[i]);
    }
  }
}

// Numbers of the matched queries among all B Q.
at::Tensor MatchedRows(const std::vector<Assignment>& assignments,
                       int64_t num_queries) {
  std::vector<int64_t> rows;
  for (size_t b = 0; b < assignments.size(); ++b) {
    for (const int64_t query : assignments[b].queries) {
      rows.push_back(static_cast<int64_t>(b) * num_queries + query);
    }
  }
  return at::tensor(rows, at::kLong);
}

// The target class of each of the B Q queries; [B Q].
at::Tensor TargetClasses(const MaskPrediction& prediction,
                         const std::vector<MaskTarget>& targets,
                         const std::vector<Assignment>& assignments,
                         const at::Tensor& rows) {
  const at::Device device = prediction.class_logits.device();
  const int64_t no_object = prediction.class_logits.size(2) - 1;
  at::Tensor classes = at::full(
      {prediction.class_logits.size(0) * prediction.class_logits.size(1)},
      no_object, rows.options().device(device));
  std::vector<at::Tensor> labels;
  for (size_t b = 0; b < targets.size(); ++b) {
    if (assignments[b].targets.empty()) continue;
    const at::Tensor& all = targets[b].labels;
    labels.push_back(all.index_select(
        0, at::tensor(assignments[b].targets, at::kLong).to(all.device())));
  }
  if (!labels.empty()) {
    classes.index_copy_(0, rows.to(device), at::cat(labels).to(device));
  }
  return classes;
}

// The matched targets read at `points` [n, T, 2], in the order of the pairs;
// [n, T] float.
at::Tensor ReadTargets(const std::vector<MaskTarget>& targets,
                       const std::vector<Assignment>& assignments,
                       const at::Tensor& points) {
  std::vector<at::Tensor> labels = {
      // Keeps cat() happy without any pair.
      points.new_empty({0, points.size(1)}, at::kFloat)};
  int64_t first = 0;
  for (size_t b = 0; b < targets.size(); ++b) {
    const std::vector<int64_t>& pairs = assignments[b].targets;
    if (pairs.empty()) continue;
    const int64_t count = static_cast<int64_t>(pairs.size());
    labels.push_back(PointSampleRows(targets[b].masks.to(points.device()),
                                     at::tensor(pairs, at::kLong),
                                     points.narrow(0, first, count)));
    first += count;
  }
  return at::cat(labels);
}

}  // namespace

absl::StatusOr<SetCriterion> SetCriterion::Create(
    const CriterionConfig& config) {
  M2F_RETURN_IF_ERROR(Validate(config));
  return SetCriterion(config);
}

SetCriterion::SetCriterion(const CriterionConfig& config) : config_(config) {}

LayerLosses SetCriterion::Compute(const MaskPrediction& prediction,
                                  const std::vector<MaskTarget>& targets,
                                  const std::vector<Assignment>& assignments,
                                  const LossNormalizer& normalizer,
                                  PointSource& points) const {
  CheckMaskTargets(prediction, targets);
  CheckAssignments(prediction, targets, assignments);
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(
      c10::autocast_dispatch_keyset);
  const at::Tensor rows =
      MatchedRows(assignments, prediction.class_logits.size(1));

  const at::Tensor class_logits =
      ToLossType(prediction.class_logits).flatten(0, 1);  // [B Q, K + 1]
  at::Tensor class_weights =
      at::ones({class_logits.size(1)}, class_logits.options());
  class_weights[-1].fill_(config_.no_object_weight());
  const at::Tensor ce =
      at::cross_entropy_loss(
          class_logits, TargetClasses(prediction, targets, assignments, rows),
          class_weights, at::Reduction::Sum) /
      normalizer.class_weight_sum;

  const at::Tensor mask_logits =
      prediction.mask_logits.flatten(0, 1);  // [B Q, h, w]
  const at::Tensor locations =
      SampleUncertainPoints(mask_logits, rows,
                            {config_.num_points(), config_.oversample_ratio(),
                             config_.importance_sample_ratio()},
                            points);
  const at::Tensor logits =
      PointSampleRows(mask_logits, rows, locations);  // [n, T]
  const at::Tensor labels =
      ReadTargets(targets, assignments, locations).to(logits.scalar_type());
  return {ce, CrossEntropyOfPoints(logits, labels) / normalizer.num_masks,
          DiceOfPoints(logits, labels) / normalizer.num_masks};
}

at::Tensor SetCriterion::Total(const LayerLosses& losses) const {
  return config_.class_weight() * losses.ce +
         config_.mask_weight() * losses.mask +
         config_.dice_weight() * losses.dice;
}

}  // namespace mask2former
