// The training loop: step, log, save, evaluate, in this order, until the last
// iteration or a signal.

#ifndef MASK2FORMER_TRAIN_TRAINER_H_
#define MASK2FORMER_TRAIN_TRAINER_H_

#include <ATen/core/Generator.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/data/data_loader.h"
#include "mask2former/train/run_checkpoint.h"
#include "mask2former/train/train_step.h"
#include "mask2former/train/trainer_config.pb.h"
#include "mask2former/train/training_log.h"

namespace mask2former {

struct TrainerOptions {
  TrainerConfig config;
  int64_t max_iter = 90000;
  int64_t seed = 0;
  std::string output_dir;
  std::string config_text;  // Goes into every checkpoint.
};

class Trainer final {
 public:
  // Scores the model after `iteration` steps. Called between steps; it leaves
  // the model in training mode.
  using Evaluate =
      std::function<absl::StatusOr<EvaluationRecord>(int64_t iteration)>;

  Trainer(const TrainerOptions& options, std::unique_ptr<TrainStep> step,
          std::unique_ptr<DataLoader> loader, Evaluate evaluate);

  // Goes on where `state` was saved: everything but the model's weights, which
  // the caller has loaded.
  //
  // Returns InvalidArgument if the state is of another model or data set.
  absl::Status Restore(const TrainingState& state);

  // Trains to the end and evaluates, or until SIGINT or SIGTERM, which saves a
  // checkpoint and returns OK.
  //
  // Writes checkpoints/ and the logs of TrainingLog below output_dir, and at
  // the end model_final.safetensors. A checkpoint or log that cannot be
  // written, a sample that cannot be read, a loss that is not finite: returns
  // the error, preceded by the iteration; what was saved before stays.
  absl::Status Run();

  int64_t iteration() const { return iteration_; }

 private:
  absl::Status Loop(TrainingLog& log);
  absl::Status EvaluateNow(TrainingLog& log);
  absl::StatusOr<std::string> Save();

  const TrainerOptions options_;
  std::unique_ptr<TrainStep> step_;
  std::unique_ptr<DataLoader> loader_;
  const Evaluate evaluate_;
  at::Generator points_generator_;  // Of the sampled points.
  int64_t iteration_ = 0;           // Steps done.
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_TRAINER_H_
