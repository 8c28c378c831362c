#include "mask2former/train/training_log.h"

#include "absl/strings/str_cat.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_io.h"
#include "mask2former/train/logging/memory_usage.h"

namespace mask2former {

absl::StatusOr<std::unique_ptr<TrainingLog>> TrainingLog::Open(
    const TrainingLogOptions& options, std::optional<int64_t> resume_after) {
  std::unique_ptr<TrainingLog> log(new TrainingLog(options));
  M2F_ASSIGN_OR_RETURN(
      log->metrics_,
      MetricsWriter::Create(absl::StrCat(options.output_dir, "/metrics.jsonl"),
                            resume_after));
  if (options.tensorboard) {
    M2F_ASSIGN_OR_RETURN(log->events_,
                         EventWriter::Create(options.output_dir, resume_after));
  }
  return log;
}

absl::Status TrainingLog::AddStep(int64_t iteration, const StepReport& report,
                                  double data_seconds, double step_seconds) {
  StepRecord record;
  record.iterations_done = iteration;
  record.loss = report.total;
  record.loss_class = report.losses[0].ce;
  record.loss_mask = report.losses[0].mask;
  record.loss_dice = report.losses[0].dice;
  record.loss_auxiliary = report.total - report.losses[0].total();
  record.lr = report.lr;
  record.gradient_norm = report.gradient_norm;
  record.data_seconds = data_seconds;
  record.step_seconds = data_seconds + step_seconds;
  record.memory_bytes = PeakMemory(options_.device);
  console_.Add(record);
  if (iteration % options_.period != 0 && iteration != options_.max_iter) {
    return absl::OkStatus();
  }
  const Metrics metrics = ToMetrics(console_.Window());
  LOG(INFO) << console_.Line();
  return Write(iteration, metrics);
}

absl::Status TrainingLog::AddEvaluation(int64_t iteration,
                                        const EvaluationRecord& record) {
  LOG(INFO) << "evaluation after " << iteration << " iterations, "
            << absl::StrCat(record.seconds_per_image) << " s an image\n"
            << record.table;
  Metrics metrics;
  for (const auto& [name, value] : record.metrics) {
    metrics.emplace_back(absl::StrCat("val/", name), value);
  }
  M2F_RETURN_IF_ERROR(Write(iteration, metrics));
  if (!record.pictures.empty() && !record.pictures[0].path.empty()) {
    LOG(INFO) << "pictures (image | ground truth | prediction): "
              << record.pictures[0].path << " and "
              << record.pictures.size() - 1 << " more";
  }
  if (events_ == nullptr) return absl::OkStatus();
  for (const EvaluationRecord::Picture& picture : record.pictures) {
    M2F_ASSIGN_OR_RETURN(const std::string png, EncodePng(picture.rgb));
    M2F_RETURN_IF_ERROR(events_->WriteImage(
        iteration, absl::StrCat("val/", picture.name), png));
  }
  return absl::OkStatus();
}

absl::Status TrainingLog::Write(int64_t iteration, const Metrics& metrics) {
  M2F_RETURN_IF_ERROR(metrics_->Write(iteration, metrics));
  if (events_ == nullptr) return absl::OkStatus();
  return events_->WriteScalars(iteration, metrics);
}

}  // namespace mask2former
