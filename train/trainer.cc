#include "mask2former/train/trainer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <c10/util/Exception.h>

#include <chrono>
#include <exception>
#include <functional>
#include <map>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/image_batch.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/random_points.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/model/checkpoint.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {
namespace {

// Names in a training state.
constexpr char kOptimizerPrefix[] = "optimizer.";
constexpr char kDefaultRandom[] = "random.default";
constexpr char kPointsRandom[] = "random.points";
constexpr char kLossScalePrefix[] = "loss_scale.";
class Stopwatch {
 public:
  // Seconds since the start or the last call.
  double Lap() {
    const auto now = std::chrono::steady_clock::now();
    const double seconds = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    return seconds;
  }

 private:
  std::chrono::steady_clock::time_point last_ =
      std::chrono::steady_clock::now();
};

absl::Status At(int64_t iteration, const absl::Status& status) {
  return WithPrefix(absl::StrCat("iteration ", iteration, ": "), status);
}

// What `run` says; Internal if it throws.
absl::Status Guarded(const std::function<absl::Status()>& run) {
  try {
    return run();
  } catch (const c10::Error& error) {
    return absl::InternalError(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

// The tensors whose names start with `prefix`, without it.
std::map<std::string, at::Tensor> WithPrefix(
    const std::map<std::string, at::Tensor>& tensors,
    const std::string& prefix) {
  std::map<std::string, at::Tensor> found;
  for (const auto& [name, tensor] : tensors) {
    if (absl::StartsWith(name, prefix)) {
      found[name.substr(prefix.size())] = tensor;
    }
  }
  return found;
}

bool IsDue(int64_t iteration, int64_t period) {
  return period > 0 && iteration % period == 0;
}

}  // namespace

Trainer::Trainer(const TrainerOptions& options, std::unique_ptr<TrainStep> step,
                 std::unique_ptr<DataLoader> loader, Validation& validation,
                 const InterruptGuard& interrupt)
    : options_(options),
      step_(std::move(step)),
      loader_(std::move(loader)),
      validation_(validation),
      interrupt_(interrupt),
      points_generator_(
          at::detail::createCPUGenerator(static_cast<uint64_t>(options.seed))) {
  NoteStart();
}

void Trainer::NoteStart() {
  sampler_start_ = loader_->state();
  default_random_start_ =
      at::globalContext().defaultGenerator(at::kCPU).get_state();
  points_random_start_ = points_generator_.get_state();
}
absl::Status Trainer::Restore(const TrainingState& state) {
  if (state.iteration > options_.max_iter) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the checkpoint is at iteration ", state.iteration,
        ", solver.max_iter is ", options_.max_iter,
        ": train for longer, or start anew in another --output_dir"));
  }
  const std::map<std::string, at::Tensor> optimizer =
      WithPrefix(state.tensors, kOptimizerPrefix);
  const std::map<std::string, at::Tensor> loss_scale =
      WithPrefix(state.tensors, kLossScalePrefix);
  const auto random = state.tensors.find(kDefaultRandom);
  const auto points = state.tensors.find(kPointsRandom);
  if (random == state.tensors.end() || points == state.tensors.end()) {
    return absl::InvalidArgumentError(
        "the checkpoint lacks the states of the random generators");
  }
  M2F_RETURN_IF_ERROR(step_->optimizer().LoadState(optimizer));
  // None if the run has changed to float16 since.
  if (step_->loss_scale() != nullptr && !loss_scale.empty()) {
    M2F_RETURN_IF_ERROR(step_->loss_scale()->LoadState(loss_scale));
  }
  M2F_RETURN_IF_ERROR(loader_->Restore(state.sampler));
  at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
  generator.set_state(random->second);
  points_generator_.set_state(points->second);
  iteration_ = state.iteration;
  saved_at_ = iteration_;
  was_restored_ = true;
  NoteStart();
  return absl::OkStatus();
}

absl::Status Trainer::Save() {
  if (saved_at_ == iteration_) return absl::OkStatus();
  TrainingState state;
  state.iteration = iteration_;
  state.seed = options_.seed;
  state.sampler = sampler_start_;
  state.config = options_.config_text;
  for (const auto& [name, tensor] : step_->optimizer().State()) {
    state.tensors[kOptimizerPrefix + name] = tensor;
  }
  if (step_->loss_scale() != nullptr) {
    for (const auto& [name, tensor] : step_->loss_scale()->State()) {
      state.tensors[kLossScalePrefix + name] = tensor;
    }
  }
  state.tensors[kDefaultRandom] = default_random_start_;
  state.tensors[kPointsRandom] = points_random_start_;
  const absl::StatusOr<std::string> path =
      SaveRunCheckpoint(options_.output_dir, step_->segmentor(), state,
                        options_.config.keep_checkpoints());
  M2F_RETURN_IF_ERROR(At(iteration_, path.status()));
  LOG(INFO) << "saved " << *path;
  saved_at_ = iteration_;
  return absl::OkStatus();
}

absl::Status Trainer::Abandon(const absl::Status& error) {
  const absl::Status saved = Save();
  if (interrupt_.signal() != 0) {
    M2F_RETURN_IF_ERROR(saved);
    if (!error.ok() && !absl::IsCancelled(error)) {
      LOG(ERROR) << error.message();
    }
    LOG(INFO) << "stopped by signal " << interrupt_.signal() << " after "
              << iteration_ << " of " << options_.max_iter
              << " iterations; to go on, call the same command with --resume";
    return absl::OkStatus();
  }
  return absl::Status(
      error.code(),
      absl::StrCat(error.message(), "\n",
                   !saved.ok()       ? saved.message()
                   : iteration_ == 0 ? ""
                                     : "What was learnt so far is saved; "
                                       "--resume goes on from there"));
}

bool Trainer::EvaluationIsDue() const {
  const TrainerConfig& config = options_.config;
  return iteration_ == 0 ? config.eval_at_start()
                         : IsLast() || IsDue(iteration_, config.eval_period());
}

absl::Status Trainer::EvaluateNow(TrainingLog& log) {
  absl::StatusOr<EvaluationRecord> record = absl::InternalError("not run");
  const absl::Status status = Guarded([&] {
    record = validation_.Run(iteration_);
    return record.status();
  });
  step_->segmentor().train();
  M2F_RETURN_IF_ERROR(At(iteration_, status));
  M2F_RETURN_IF_ERROR(log.AddEvaluation(iteration_, *record));
  return validation_.MarkDone(iteration_);
}

absl::Status Trainer::Run() {
  M2F_ASSIGN_OR_RETURN(
      const std::unique_ptr<TrainingLog> log,
      TrainingLog::Open(
          {options_.output_dir, options_.max_iter, options_.config.log_period(),
           options_.config.tensorboard(), step_->segmentor().device()},
          !options_.continues_run ? std::nullopt
          : iteration_ > 0        ? std::optional<int64_t>(iteration_)
                                  : std::optional<int64_t>(-1)));
  return Loop(*log);
}

absl::Status Trainer::Loop(TrainingLog& log) {
  const TrainerConfig& config = options_.config;
  GeneratorPointSource points(points_generator_);
  step_->segmentor().train();
  // A run that had saved nothing begins anew, whatever marks it left.
  if (EvaluationIsDue() && !(was_restored_ && validation_.IsDone(iteration_))) {
    const absl::Status status = EvaluateNow(log);
    if (!status.ok()) return Abandon(status);
  }
  while (!IsLast()) {
    if (interrupt_.signal() != 0) return Abandon(absl::OkStatus());
    Stopwatch watch;
    const absl::StatusOr<ImageBatch> batch = loader_->Next();
    if (!batch.ok()) return Abandon(At(iteration_ + 1, batch.status()));
    const double data_seconds = watch.Lap();
    const absl::StatusOr<StepReport> report = step_->Run(*batch, points);
    if (absl::IsInternal(report.status())) {
      return Abandon(At(iteration_ + 1, report.status()));
    }
    M2F_RETURN_IF_ERROR(At(iteration_ + 1, report.status()));
    const double step_seconds = watch.Lap();
    ++iteration_;
    NoteStart();
    if (!report->updated) {
      LOG(WARNING) << "iteration " << iteration_
                   << ": gradients are not finite, no update"
                   << (step_->loss_scale() == nullptr
                           ? ""
                           : absl::StrCat("; loss scale now ",
                                          step_->loss_scale()->value()));
    }
    absl::Status status =
        log.AddStep(iteration_, *report, data_seconds, step_seconds);
    if (!status.ok()) return Abandon(status);
    if (IsLast() || IsDue(iteration_, config.checkpoint_period())) {
      M2F_RETURN_IF_ERROR(Save());
    }
    if (interrupt_.signal() != 0) return Abandon(absl::OkStatus());
    if (EvaluationIsDue()) {
      status = EvaluateNow(log);
      if (!status.ok()) return Abandon(status);
    }
  }
  const std::string path =
      absl::StrCat(options_.output_dir, "/model_final.safetensors");
  M2F_RETURN_IF_ERROR(SaveWeights(path, step_->segmentor(),
                                  {{"iteration", absl::StrCat(iteration_)}}));
  LOG(INFO) << "done: " << path;
  return absl::OkStatus();
}

}  // namespace mask2former
