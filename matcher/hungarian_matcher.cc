#include "mask2former/matcher/hungarian_matcher.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "mask2former/common/check_mask_targets.h"
#include "mask2former/common/point_sample.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/matcher/linear_assignment.h"
#include "mask2former/matcher/matching_costs.h"

namespace mask2former {
namespace {

// What stands in the block of costs of an image, in this order.
constexpr const char* kTerms[] = {"total", "class", "mask", "dice"};
constexpr int64_t kNumTerms = 4;

// The assignment of the `num_queries` x `num_targets` costs, the first block of
// `terms`; the other blocks say which term to blame if one is not finite.
absl::StatusOr<Assignment> Solve(absl::Span<const double> terms, int64_t image,
                                 int64_t num_queries, int64_t num_targets) {
  const int64_t size = num_queries * num_targets;
  for (int64_t i = 0; i < size; ++i) {
    if (std::isfinite(terms[i])) continue;
    // The sum is blamed only if every term is finite.
    int64_t term = 1;
    while (term < kNumTerms && std::isfinite(terms[term * size + i])) ++term;
    term %= kNumTerms;
    return absl::InvalidArgumentError(
        absl::StrCat("hungarian matcher: image ", image, ": the ", kTerms[term],
                     " cost of query ", i / num_targets, " (row) and target ",
                     i % num_targets, " (column) is ", terms[term * size + i],
                     "; the prediction's ", term == 1 ? "class" : "mask",
                     " logits are not finite or too large"));
  }
  M2F_ASSIGN_OR_RETURN(
      LinearAssignment pairs,
      SolveLinearAssignment(terms.first(size), num_queries, num_targets));
  return Assignment{std::move(pairs.rows), std::move(pairs.columns)};
}

}  // namespace

absl::StatusOr<std::unique_ptr<HungarianMatcher>> HungarianMatcher::Create(
    const HungarianMatcherConfig& config) {
  for (const auto& [name, weight] :
       {std::pair{"class_weight", config.class_weight()},
        std::pair{"mask_weight", config.mask_weight()},
        std::pair{"dice_weight", config.dice_weight()}}) {
    if (!(weight >= 0 && std::isfinite(weight))) {
      return absl::InvalidArgumentError(absl::StrCat(
          "hungarian: ", name, " must be at least 0 and finite, got ", weight));
    }
  }
  if (config.class_weight() == 0 && config.mask_weight() == 0 &&
      config.dice_weight() == 0) {
    return absl::InvalidArgumentError(
        "hungarian: one of class_weight, mask_weight, dice_weight must be "
        "positive");
  }
  if (config.num_points() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "hungarian: num_points must be positive, got ", config.num_points()));
  }
  // Not make_unique: the constructor is private.
  return std::unique_ptr<HungarianMatcher>(new HungarianMatcher(config));
}

HungarianMatcher::HungarianMatcher(const HungarianMatcherConfig& config)
    : config_(config) {}

absl::StatusOr<std::vector<Assignment>> HungarianMatcher::Match(
    const MaskPrediction& prediction, const std::vector<MaskTarget>& targets,
    PointSource& points) const {
  CheckMaskTargets(prediction, targets);
  const at::NoGradGuard no_grad;
  const int64_t images = static_cast<int64_t>(targets.size());
  const int64_t num_queries = prediction.class_logits.size(1);

  std::vector<at::Tensor> blocks;
  for (int64_t b = 0; b < images; ++b) {
    const at::Tensor logits = prediction.mask_logits[b].unsqueeze(0);
    const at::Tensor locations =
        points.Draw(1, config_.num_points()).to(logits.device());
    // Also without targets: who trains with more images per step must see the
    // same points.
    if (targets[b].labels.size(0) == 0) continue;
    const at::Tensor masks = targets[b].masks.unsqueeze(0).to(logits.device());
    const at::Tensor class_cost =
        ClassCost(prediction.class_logits[b], targets[b].labels);
    const MaskCosts costs =
        ComputeMaskCosts(PointSample(logits, locations).squeeze(0),
                         PointSample(masks, locations).squeeze(0));
    const at::Tensor total = config_.mask_weight() * costs.mask +
                             config_.class_weight() * class_cost +
                             config_.dice_weight() * costs.dice;
    blocks.push_back(
        at::stack({total, class_cost, costs.mask, costs.dice}).flatten());
  }

  at::Tensor host;
  if (!blocks.empty()) host = at::cat(blocks).cpu().to(at::kDouble);
  std::vector<Assignment> assignments(images);
  int64_t offset = 0;
  for (int64_t b = 0; b < images; ++b) {
    const int64_t num_targets = targets[b].labels.size(0);
    const int64_t size = kNumTerms * num_queries * num_targets;
    if (size == 0) continue;
    M2F_ASSIGN_OR_RETURN(
        assignments[b],
        Solve(absl::MakeConstSpan(host.const_data_ptr<double>() + offset, size),
              b, num_queries, num_targets));
    offset += size;
  }
  return assignments;
}

}  // namespace mask2former
