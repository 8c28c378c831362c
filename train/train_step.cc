#include "mask2former/train/train_step.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/common/mask_target.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/model/segmentor.h"
#include "mask2former/train/criterion/compute_losses.h"
#include "mask2former/train/criterion/loss_normalizer.h"

namespace mask2former {
namespace {

template <typename T>
std::vector<T> Slice(const std::vector<T>& all, int64_t begin, int64_t end) {
  return std::vector<T>(all.begin() + begin, all.begin() + end);
}

// "final: ce nan, mask 0.5, dice 0.7"
std::string Describe(size_t layer, const WeightedLosses& losses) {
  return absl::StrCat(
      layer == 0 ? "final" : absl::StrCat("auxiliary ", layer - 1), ": ce ",
      losses.ce, ", mask ", losses.mask, ", dice ", losses.dice);
}

std::string Advice(const std::vector<std::string>& names) {
  return absl::StrCat(", images ", absl::StrJoin(names, ", "),
                      "; try a smaller solver.base_lr, and look at these "
                      "images");
}

absl::Status CheckFinite(const std::vector<WeightedLosses>& losses,
                         const std::vector<std::string>& names) {
  std::vector<std::string> wrong;
  for (size_t layer = 0; layer < losses.size(); ++layer) {
    if (!std::isfinite(losses[layer].total())) {
      wrong.push_back(Describe(layer, losses[layer]));
    }
  }
  if (wrong.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("the loss is not finite (",
                                                 absl::StrJoin(wrong, "; "),
                                                 ")", Advice(names)));
}

// Pixels of the largest image, to which all parts of a batch are padded.
ImageSize LargestOf(const ImageBatch& batch) {
  ImageSize size;
  for (const at::Tensor& image : batch.images) {
    size.height = std::max(size.height, image.size(1));
    size.width = std::max(size.width, image.size(2));
  }
  return size;
}

}  // namespace

TrainStep::TrainStep(std::shared_ptr<Segmentor> segmentor,
                     std::shared_ptr<const Matcher> matcher,
                     SetCriterion criterion,
                     std::unique_ptr<Optimizer> optimizer,
                     int64_t micro_batch_size, Precision precision)
    : segmentor_(std::move(segmentor)),
      matcher_(std::move(matcher)),
      criterion_(std::move(criterion)),
      optimizer_(std::move(optimizer)),
      micro_batch_size_(micro_batch_size),
      precision_(precision) {
  if (precision == Precision::kFloat16) loss_scale_.emplace();
}
absl::StatusOr<StepReport> TrainStep::Run(const ImageBatch& batch,
                                          PointSource& points) {
  absl::StatusOr<StepReport> report = absl::InternalError("not run");
  try {
    report = Accumulate(batch, points);
  } catch (const c10::Error& error) {
    report = absl::InternalError(error.what_without_backtrace());
  } catch (const std::exception& error) {
    report = absl::InternalError(error.what());
  }
  if (!report.ok()) return report;
  report->gradient_norm = optimizer_->Step(Scale());
  report->updated = std::isfinite(report->gradient_norm);
  if (loss_scale_.has_value()) loss_scale_->Update(report->updated);
  return report;
}

double TrainStep::Scale() const {
  return loss_scale_.has_value() ? loss_scale_->value() : 1;
}

std::vector<MaskPrediction> TrainStep::Predict(const at::Tensor& images) {
  const AutocastGuard autocast(images.device().type(), precision_);
  std::vector<MaskPrediction> predictions = segmentor_->forward(images);
  for (MaskPrediction& prediction : predictions) {
    prediction = {prediction.class_logits.to(at::kFloat),
                  prediction.mask_logits.to(at::kFloat)};
  }
  return predictions;
}

absl::StatusOr<StepReport> TrainStep::Accumulate(const ImageBatch& batch,
                                                 PointSource& points) {
  const int64_t count = static_cast<int64_t>(batch.images.size());
  const int64_t part = micro_batch_size_ > 0 ? micro_batch_size_ : count;
  const ImageSize largest = LargestOf(batch);

  StepReport report;
  report.lr = optimizer_->lr();
  optimizer_->ZeroGrad();
  for (int64_t begin = 0; begin < count; begin += part) {
    const int64_t end = std::min(begin + part, count);
    const at::Tensor images =
        segmentor_->Prepare(Slice(batch.images, begin, end), largest).images;
    std::vector<MaskTarget> targets = PadTargets(
        Slice(batch.targets, begin, end), images.size(2), images.size(3));
    for (MaskTarget& target : targets) {
      target = {target.labels.to(images.device()),
                target.masks.to(images.device())};
    }
    const std::vector<MaskPrediction> predictions = Predict(images);
    const LossNormalizer normalizer = NormalizeByBatch(
        TargetCounts(batch.targets), predictions.back().class_logits.size(1),
        criterion_.config().no_object_weight());
    const std::vector<std::string> names = Slice(batch.names, begin, end);
    const absl::StatusOr<BatchLosses> losses = ComputeLosses(
        predictions, targets, *matcher_, criterion_, normalizer, points);
    if (!losses.ok()) {
      return absl::Status(
          losses.status().code(),
          absl::StrCat(losses.status().message(), Advice(names)));
    }
    report.losses.resize(losses->layers.size());
    std::vector<WeightedLosses> terms(losses->layers.size());
    for (size_t layer = 0; layer < losses->layers.size(); ++layer) {
      const LayerLosses& layer_losses = losses->layers[layer];
      const CriterionConfig& weights = criterion_.config();
      terms[layer] = {weights.class_weight() * layer_losses.ce.item<double>(),
                      weights.mask_weight() * layer_losses.mask.item<double>(),
                      weights.dice_weight() * layer_losses.dice.item<double>()};
      report.losses[layer].ce += terms[layer].ce;
      report.losses[layer].mask += terms[layer].mask;
      report.losses[layer].dice += terms[layer].dice;
    }
    M2F_RETURN_IF_ERROR(CheckFinite(terms, names));
    (losses->total * Scale()).backward();
  }
  for (const WeightedLosses& losses : report.losses) {
    report.total += losses.total();
  }
  return report;
}

}  // namespace mask2former
