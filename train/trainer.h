// The training loop: step, log, save, evaluate, in this order, until the last
// iteration or a signal.

#ifndef MASK2FORMER_TRAIN_TRAINER_H_
#define MASK2FORMER_TRAIN_TRAINER_H_

#include <ATen/core/Generator.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/data/data_loader.h"
#include "mask2former/train/interrupt.h"
#include "mask2former/train/run_checkpoint.h"
#include "mask2former/train/train_step.h"
#include "mask2former/train/trainer_config.pb.h"
#include "mask2former/train/training_log.h"

namespace mask2former {

struct TrainerOptions {
  TrainerConfig config;
  // output_dir may hold logs of an interrupted run, which this one continues,
  // also if that had not saved anything yet.
  bool continues_run = false;
  int64_t max_iter = 90000;
  int64_t seed = 0;
  std::string output_dir;
  std::string config_text;  // Goes into every checkpoint.
};

class Trainer final {
 public:
  // Scores the model. Called between steps.
  class Validation {
   public:
    virtual ~Validation() = default;
    // After `iteration` steps. Cancelled if a signal stopped it.
    virtual absl::StatusOr<EvaluationRecord> Run(int64_t iteration) = 0;
    // Leaves a mark that this evaluation, the newest, is done and logged.
    virtual absl::Status MarkDone(int64_t iteration) = 0;

    // Whether there is a mark, left before the run was interrupted.
    virtual bool IsDone(int64_t iteration) const = 0;
  };

  // `validation` and `interrupt` outlive the trainer.
  Trainer(const TrainerOptions& options, std::unique_ptr<TrainStep> step,
          std::unique_ptr<DataLoader> loader, Validation& validation,
          const InterruptGuard& interrupt);

  // Goes on where `state` was saved: everything but the model's weights, which
  // the caller has loaded.
  //
  // Returns InvalidArgument if the state is of another model or data set, or
  // beyond max_iter.
  absl::Status Restore(const TrainingState& state);

  // Trains to the end and evaluates, or until SIGINT or SIGTERM, which saves a
  // checkpoint and returns OK. An evaluation that an interruption left out
  // comes first.
  //
  // Writes checkpoints/ and the logs of TrainingLog below output_dir, and at
  // the end model_final.safetensors. A checkpoint or log that cannot be
  // written, a sample that cannot be read, an evaluation that fails: returns
  // the error, preceded by the iteration, after saving a checkpoint. So does an
  // exception in a step, after saving what was before that step (but for
  // running statistics of batch norm). A loss that is not finite: likewise,
  // without saving; what was saved before stays.
  absl::Status Run();

  int64_t iteration() const { return iteration_; }

 private:
  absl::Status Loop(TrainingLog& log);
  bool IsLast() const { return iteration_ >= options_.max_iter; }
  bool EvaluationIsDue() const;
  absl::Status EvaluateNow(TrainingLog& log);
  // Notes what the next iteration starts from.
  void NoteStart();
  // Unless this iteration is on disk already.
  absl::Status Save();
  // Saves, then returns OK for a signal, else `error`.
  absl::Status Abandon(const absl::Status& error);

  const TrainerOptions options_;
  std::unique_ptr<TrainStep> step_;
  std::unique_ptr<DataLoader> loader_;
  Validation& validation_;
  const InterruptGuard& interrupt_;
  at::Generator points_generator_;  // Of the sampled points.
  int64_t iteration_ = 0;           // Steps done.
  bool was_restored_ = false;
  // Where the data and the random generators stood after the last step.
  SamplerState sampler_start_;
  at::Tensor default_random_start_, points_random_start_;
  int64_t saved_at_ = 0;  // Of the newest checkpoint, 0: none.
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_TRAINER_H_
