#include "mask2former/train/folder_validation.h"

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/eval/generic_metrics.h"
#include "mask2former/eval/semantic_predictor.h"

namespace mask2former {
namespace {

using nlohmann::json;

// JSON has no NaN.
json Number(double value) {
  return std::isnan(value) ? json(nullptr) : json(value);
}

std::string Table(const std::vector<std::string>& names,
                  const GenericScores& scores) {
  std::string table =
      absl::StrFormat("%-24s %8s %8s\n", "class", "IoU", "accuracy");
  for (size_t k = 0; k < names.size(); ++k) {
    absl::StrAppendFormat(&table, "%-24s %8.4f %8.4f\n", names[k],
                          scores.iou[k], scores.accuracy[k]);
  }
  absl::StrAppendFormat(&table, "%-24s %8.4f %8.4f\n", "mean", scores.mean_iou,
                        scores.mean_accuracy);
  return table;
}

std::string Json(const std::vector<std::string>& names,
                 const GenericScores& scores) {
  json classes = json::object();
  for (size_t k = 0; k < names.size(); ++k) {
    classes[names[k]] = {{"IoU", Number(scores.iou[k])},
                         {"accuracy", Number(scores.accuracy[k])}};
  }
  const json root = {{"mIoU", Number(scores.mean_iou)},
                     {"fwIoU", Number(scores.frequency_weighted_iou)},
                     {"mACC", Number(scores.mean_accuracy)},
                     {"pACC", Number(scores.pixel_accuracy)},
                     {"classes", std::move(classes)}};
  return root.dump(/*indent=*/2, ' ', /*ensure_ascii=*/false,
                   json::error_handler_t::replace) +
         "\n";
}

}  // namespace

FolderValidation::FolderValidation(const InputConfig& input,
                                   const InferenceConfig& inference,
                                   const std::string& output_dir,
                                   const FolderDataset& pictures,
                                   const InterruptGuard& interrupt,
                                   Segmentor& segmentor)
    : input_(input),
      inference_(inference),
      output_dir_(output_dir),
      pictures_(pictures),
      interrupt_(interrupt),
      segmentor_(segmentor) {}

absl::StatusOr<EvaluationRecord> FolderValidation::Run(int64_t iteration) {
  const EvaluationModeGuard guard(segmentor_);
  GenericMetrics metrics(static_cast<int>(pictures_.num_classes()));
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < pictures_.size(); ++i) {
    if (interrupt_.signal() != 0) {
      return absl::CancelledError("evaluation interrupted");
    }
    M2F_ASSIGN_OR_RETURN(const Sample sample, pictures_.Load(i));
    const cv::Mat classes =
        PredictSemantic(segmentor_, inference_,
                        MakeTestImage(sample.image, input_.min_size_test(),
                                      input_.max_size_test()),
                        {sample.image.rows, sample.image.cols})
            .train_ids;
    M2F_RETURN_IF_ERROR(metrics.Add(sample.label, classes));
  }
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  const GenericScores scores = metrics.Compute();
  const std::vector<std::string>& names = pictures_.classes().names();
  EvaluationRecord record;
  record.table = Table(names, scores);
  record.metrics = {{"IoU", scores.mean_iou},
                    {"fwIoU", scores.frequency_weighted_iou},
                    {"accuracy", scores.mean_accuracy},
                    {"pixel_accuracy", scores.pixel_accuracy}};
  record.seconds_per_image =
      seconds.count() / static_cast<double>(pictures_.size());
  json_ = Json(names, scores);
  return record;
}

absl::Status FolderValidation::MarkDone(int64_t iteration) {
  const std::string path = MetricsPath(iteration);
  M2F_RETURN_IF_ERROR(
      CreateDirectories(absl::StrCat(output_dir_, "/eval/step_", iteration)));
  return WriteFileAtomically(path, json_);
}

bool FolderValidation::IsDone(int64_t iteration) const {
  return FileExists(MetricsPath(iteration));
}

std::string FolderValidation::MetricsPath(int64_t iteration) const {
  return absl::StrCat(output_dir_, "/eval/step_", iteration, "/metrics.json");
}

}  // namespace mask2former
