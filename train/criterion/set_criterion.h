#ifndef MASK2FORMER_TRAIN_CRITERION_SET_CRITERION_H_
#define MASK2FORMER_TRAIN_CRITERION_SET_CRITERION_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/common/assignment.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/common/mask_target.h"
#include "mask2former/common/random_points.h"
#include "mask2former/train/criterion/criterion_config.pb.h"
#include "mask2former/train/criterion/loss_normalizer.h"

namespace mask2former {

// The losses of one prediction, before their weights: scalars with gradient.
struct LayerLosses {
  at::Tensor ce;    // Class loss.
  at::Tensor mask;  // Binary cross entropy at points.
  at::Tensor dice;  // Dice loss at points.
};

// Measures how far a prediction is from the targets, given who answers for
// whom.
//
// Class loss: weighted cross entropy over all B Q queries; a query without
// target should say "no object", and counts no_object_weight. Mask losses: see
// point_losses.h; over the matched pairs, at points of uncertain_points.h.
// Ignored pixels count as outside of every mask.
//
// Source: Cheng et al., CVPR 2022, sections 3.3 and 4.1.
class SetCriterion {
 public:
  // Returns InvalidArgument if `config` is out of range.
  static absl::StatusOr<SetCriterion> Create(const CriterionConfig& config);

  //   prediction   class_logits [B, Q, K + 1], mask_logits [B, Q, h, w]; half
  //                precision is computed in float, also under autocast
  //   targets      B of them, masks [N, H, W] padded like the images; N may be
  //                0, or more than Q
  //   assignments  B of them; a target may be without query
  //   normalizer   of the batch that `targets` is, or is a part of
  //   points       asked as in uncertain_points.h, with n the number of pairs:
  //                image by image, queries ascending
  //
  // Without any pair mask and dice are 0, with gradient 0.
  //
  // Throws c10::Error on shapes that do not fit each other.
  LayerLosses Compute(const MaskPrediction& prediction,
                      const std::vector<MaskTarget>& targets,
                      const std::vector<Assignment>& assignments,
                      const LossNormalizer& normalizer,
                      PointSource& points) const;

  // class_weight * ce + mask_weight * mask + dice_weight * dice
  at::Tensor Total(const LayerLosses& losses) const;

  const CriterionConfig& config() const { return config_; }

 private:
  explicit SetCriterion(const CriterionConfig& config);

  CriterionConfig config_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_CRITERION_SET_CRITERION_H_
