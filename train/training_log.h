#ifndef MASK2FORMER_TRAIN_TRAINING_LOG_H_
#define MASK2FORMER_TRAIN_TRAINING_LOG_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/train/logging/console.h"
#include "mask2former/train/logging/event_writer.h"
#include "mask2former/train/logging/metrics.h"
#include "mask2former/train/logging/metrics_writer.h"
#include "mask2former/train/train_step.h"

namespace mask2former {

// What an evaluation found.
struct EvaluationRecord {
  struct Picture {
    std::string name;
    std::string path;  // Where it lies; may be empty.
    cv::Mat rgb;       // [H, W] CV_8UC3.
  };

  std::string table;  // For people.
  Metrics metrics;    // Fractions, NaN where undefined.
  double seconds_per_image = 0;
  std::vector<Picture> pictures;
};

struct TrainingLogOptions {
  std::string output_dir;
  int64_t max_iter = 0;
  int64_t period = 20;  // Steps per line.
  bool tensorboard = true;
  c10::Device device = c10::kCPU;  // Whose memory is told of.
};

// Tells people and programs how a training goes: a line on the console and in
// metrics.jsonl every `period` steps, the same as TensorBoard curves, tables
// and pictures of evaluations.
class TrainingLog final {
 public:
  // `resume_after` is the last iteration that stays of what an interrupted run
  // logged, which this one continues; empty for a new run.
  static absl::StatusOr<std::unique_ptr<TrainingLog>> Open(
      const TrainingLogOptions& options, std::optional<int64_t> resume_after);

  // `iteration` counts this step, from 1.
  absl::Status AddStep(int64_t iteration, const StepReport& report,
                       double data_seconds, double step_seconds);

  absl::Status AddEvaluation(int64_t iteration, const EvaluationRecord& record);

 private:
  explicit TrainingLog(const TrainingLogOptions& options)
      : options_(options), console_(options.max_iter) {}

  absl::Status Write(int64_t iteration, const Metrics& metrics);

  const TrainingLogOptions options_;
  Console console_;
  std::unique_ptr<MetricsWriter> metrics_;
  std::unique_ptr<EventWriter> events_;  // Null without tensorboard.
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_TRAINING_LOG_H_
