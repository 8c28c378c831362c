#include "mask2former/train/folder_validation.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/eval/evaluation_report.h"
#include "mask2former/eval/folder_evaluator.h"
#include "mask2former/eval/progress_lines.h"

namespace mask2former {
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
  FolderEvaluatorOptions options;
  options.input = input_;
  options.inference = inference_;
  options.progress = ProgressLines([this] {
    return interrupt_.signal() == 0
               ? absl::OkStatus()
               : absl::CancelledError("evaluation interrupted");
  });
  M2F_ASSIGN_OR_RETURN(const Evaluation evaluation,
                       EvaluateFolder(pictures_, options, segmentor_));
  const GenericScores& scores = evaluation.own_classes->scores;
  EvaluationRecord record;
  record.table = EvaluationTables(evaluation);
  record.metrics = {{"IoU", scores.mean_iou},
                    {"fwIoU", scores.frequency_weighted_iou},
                    {"accuracy", scores.mean_accuracy},
                    {"pixel_accuracy", scores.pixel_accuracy}};
  record.seconds_per_image = evaluation.speed.total_seconds;
  json_ = MetricsJson(evaluation);
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
