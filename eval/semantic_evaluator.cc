#include "mask2former/eval/semantic_evaluator.h"

#include <ATen/ops/aminmax.h>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/common/tensor_shape.h"
#include "mask2former/eval/report.h"
#include "mask2former/eval/train_ids.h"

namespace mask2former {
absl::Status SemanticEvaluator::Add(absl::string_view name,
                                    const cv::Mat& prediction,
                                    const cv::Mat& ground_truth,
                                    const cv::Mat& instances) {
  // Outside the lock: other threads score their images meanwhile.
  CityscapesMetrics image;
  const absl::StatusOr<cv::Mat> ids = TrainIdsToLabelIds(prediction);
  M2F_RETURN_IF_ERROR(WithPrefix(
      absl::StrCat(name, ": "),
      ids.ok() ? image.Add(ground_truth, *ids, instances) : ids.status()));
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

}  // namespace mask2former
