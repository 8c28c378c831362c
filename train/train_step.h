#ifndef MASK2FORMER_TRAIN_TRAIN_STEP_H_
#define MASK2FORMER_TRAIN_TRAIN_STEP_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/common/autocast.h"
#include "mask2former/common/image_batch.h"
#include "mask2former/common/random_points.h"
#include "mask2former/matcher/matcher.h"
#include "mask2former/train/criterion/set_criterion.h"
#include "mask2former/train/optimizer/loss_scale.h"
#include "mask2former/train/optimizer/optimizer.h"
namespace mask2former {

class Segmentor;

// The terms of one prediction, times their weights.
struct WeightedLosses {
  double ce = 0;
  double mask = 0;
  double dice = 0;

  double total() const { return ce + mask + dice; }
};

// What one step did.
struct StepReport {
  // [0] of the final prediction, [1 + i] of the auxiliary prediction i.
  std::vector<WeightedLosses> losses;
  double total = 0;          // Of all terms.
  double gradient_norm = 0;  // Before clipping.
  // False if the gradients were not finite: the parameters stayed as they were.
  bool updated = true;
  double lr = 0;  // Used by this step, outside the backbone.
};

// One step of training: images in, parameters changed.
//
// A batch larger than `micro_batch_size` is worked off in parts whose gradients
// add up. Every loss is normalised by the whole batch, so the parts mean what
// the whole would have meant; only batch norm, where it trains, sees the part.
//
// Below float32, backbone and transformer decoder run under autocast; matching
// and losses are in float32. kFloat16 scales the loss, see LossScale.
//
// Source: Cheng et al., CVPR 2022, sections 3.3 and 4.1.
class TrainStep final {
 public:
  // micro_batch_size 0: the whole batch at once.
  TrainStep(std::shared_ptr<Segmentor> segmentor,
            std::shared_ptr<const Matcher> matcher, SetCriterion criterion,
            std::unique_ptr<Optimizer> optimizer, int64_t micro_batch_size,
            Precision precision = Precision::kFloat32);
  // Returns InvalidArgument, and leaves the parameters as they were, if a loss
  // or a matching cost is not finite; the message names terms and images.
  // Internal, likewise, if something throws, as LibTorch does without memory.
  absl::StatusOr<StepReport> Run(const ImageBatch& batch, PointSource& points);

  Optimizer& optimizer() { return *optimizer_; }
  Segmentor& segmentor() { return *segmentor_; }
  // Null unless the precision is kFloat16.
  LossScale* loss_scale() {
    return loss_scale_.has_value() ? &*loss_scale_ : nullptr;
  }

 private:
  double Scale() const;  // Of the loss.
  // In float32, whatever they were computed in.
  std::vector<MaskPrediction> Predict(const at::Tensor& images);
  // All but the optimizer's step.
  absl::StatusOr<StepReport> Accumulate(const ImageBatch& batch,
                                        PointSource& points);

  std::shared_ptr<Segmentor> segmentor_;
  std::shared_ptr<const Matcher> matcher_;
  const SetCriterion criterion_;
  std::unique_ptr<Optimizer> optimizer_;
  const int64_t micro_batch_size_;
  const Precision precision_;
  std::optional<LossScale> loss_scale_;
};
}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_TRAIN_STEP_H_
