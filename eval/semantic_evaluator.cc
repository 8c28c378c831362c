#include "mask2former/eval/semantic_evaluator.h"

#include <ATen/ops/aminmax.h>

#include <cmath>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/tensor_shape.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/report.h"
#include "mask2former/eval/train_ids.h"

namespace mask2former {
namespace {

void SetIfDefined(double score, void (SemanticScores::*set)(double),
                  SemanticScores& proto) {
  if (!std::isnan(score)) (proto.*set)(score);
}

void FillScore(absl::string_view name, int id, double iou, double instance_iou,
               SemanticScores::Score& score) {
  score.set_name(std::string(name));
  score.set_id(id);
  if (!std::isnan(iou)) score.set_iou(iou);
  if (!std::isnan(instance_iou)) score.set_instance_iou(instance_iou);
}

}  // namespace

absl::Status SemanticEvaluator::Add(absl::string_view name,
                                    const cv::Mat& prediction,
                                    const cv::Mat& ground_truth,
                                    const cv::Mat& instances) {
  // Outside the lock: other threads score their images meanwhile.
  CityscapesMetrics image;
  const absl::StatusOr<cv::Mat> ids = TrainIdsToLabelIds(prediction);
  const absl::Status status =
      ids.ok() ? image.Add(ground_truth, *ids, instances) : ids.status();
  if (!status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat(name, ": ", status.message()));
  }
  const absl::MutexLock lock(&mutex_);
  metrics_.Merge(image);
  return absl::OkStatus();
}

absl::Status SemanticEvaluator::Add(absl::string_view name,
                                    const at::Tensor& prediction,
                                    const cv::Mat& ground_truth,
                                    const cv::Mat& instances) {
  CheckShape(prediction, "prediction", {kAny, kAny});
  TORCH_CHECK(prediction.scalar_type() == at::kByte ||
                  prediction.scalar_type() == at::kLong,
              "prediction must be uint8 or int64, got ",
              prediction.scalar_type());
  if (prediction.scalar_type() == at::kLong && prediction.numel() > 0) {
    const auto [lowest, highest] = at::aminmax(prediction);
    if (lowest.item<int64_t>() < 0 || highest.item<int64_t>() > 255) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": the prediction has values from ", lowest.item<int64_t>(),
          " to ", highest.item<int64_t>(), "; train ids are 0..18 and 255"));
    }
  }
  const at::Tensor bytes = prediction.to(at::kCPU, at::kByte).contiguous();
  const cv::Mat view(static_cast<int>(bytes.size(0)),
                     static_cast<int>(bytes.size(1)), CV_8UC1,
                     bytes.data_ptr<uint8_t>());
  return Add(name, view, ground_truth, instances);
}

CityscapesMetrics SemanticEvaluator::metrics() const {
  const absl::MutexLock lock(&mutex_);
  return metrics_;
}

std::string SemanticEvaluator::Table() const {
  const CityscapesScores scores = Compute();
  return absl::StrCat(ClassTable(scores), "\n", CategoryTable(scores));
}

SemanticScores SemanticEvaluator::ToProto() const {
  const CityscapesMetrics all = metrics();
  const CityscapesScores scores = all.Compute();
  SemanticScores proto;
  proto.set_images(all.images());
  int next_category = 1;  // 0 is void.
  for (const CityscapesLabel& label : CityscapesLabels()) {
    if (!label.ignore_in_eval) {
      FillScore(label.name, label.id, scores.class_iou[label.id],
                scores.class_instance_iou[label.id], *proto.add_classes());
    }
    if (label.category_id == next_category) {
      FillScore(
          label.category, next_category, scores.category_iou[next_category],
          scores.category_instance_iou[next_category], *proto.add_categories());
      ++next_category;
    }
  }
  SetIfDefined(scores.mean_class_iou, &SemanticScores::set_mean_class_iou,
               proto);
  SetIfDefined(scores.mean_class_instance_iou,
               &SemanticScores::set_mean_class_instance_iou, proto);
  SetIfDefined(scores.mean_category_iou, &SemanticScores::set_mean_category_iou,
               proto);
  SetIfDefined(scores.mean_category_instance_iou,
               &SemanticScores::set_mean_category_instance_iou, proto);
  SetIfDefined(scores.pixel_accuracy, &SemanticScores::set_pixel_accuracy,
               proto);
  proto.mutable_confusion()->Add(all.confusion().counts().begin(),
                                 all.confusion().counts().end());
  return proto;
}

}  // namespace mask2former
