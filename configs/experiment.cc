#include "mask2former/configs/experiment.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/text_proto.h"

namespace mask2former {
namespace {

// Collects the rules that are broken.
class Rules {
 public:
  template <typename... Parts>
  void Check(bool holds, const Parts&... message) {
    if (!holds) broken_.push_back(absl::StrCat(message...));
  }

  absl::Status ToStatus() const {
    if (broken_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(broken_, "\n"));
  }

 private:
  std::vector<std::string> broken_;
};

void CheckSolver(const SolverConfig& solver, Rules& rules) {
  rules.Check(solver.max_iter() >= 1, "solver.max_iter must be at least 1, is ",
              solver.max_iter());
  rules.Check(solver.global_batch_size() >= 1,
              "solver.global_batch_size must be at least 1, is ",
              solver.global_batch_size());
  rules.Check(solver.micro_batch_size() >= 0 &&
                  solver.micro_batch_size() <= solver.global_batch_size(),
              "solver.micro_batch_size must be between 0 (the whole batch) and "
              "solver.global_batch_size (",
              solver.global_batch_size(), "), is ", solver.micro_batch_size());
  rules.Check(solver.schedule().warmup_iters() <= solver.max_iter(),
              "solver.schedule.warmup_iters (",
              solver.schedule().warmup_iters(),
              ") must not exceed solver.max_iter (", solver.max_iter(), ")");
}

void CheckTrainer(const TrainerConfig& trainer, Rules& rules) {
  rules.Check(trainer.log_period() >= 1,
              "trainer.log_period must be at least 1, is ",
              trainer.log_period());
  rules.Check(trainer.eval_period() >= 0,
              "trainer.eval_period must be 0 (only at the end) or more, is ",
              trainer.eval_period());
  rules.Check(trainer.checkpoint_period() >= 0,
              "trainer.checkpoint_period must be 0 (only at the end) or more, "
              "is ",
              trainer.checkpoint_period());
  rules.Check(trainer.keep_checkpoints() >= 0,
              "trainer.keep_checkpoints must be 0 (all) or more, is ",
              trainer.keep_checkpoints());
  rules.Check(trainer.num_threads() >= 0,
              "trainer.num_threads must be 0 (all cores) or more, is ",
              trainer.num_threads());
}

}  // namespace

absl::StatusOr<Experiment> ReadExperiment(
    const std::string& path, const std::vector<std::string>& overrides) {
  Experiment experiment;
  M2F_RETURN_IF_ERROR(ReadConfig(path, overrides, experiment));
  if (experiment.output_dir().empty()) {
    experiment.set_output_dir(
        absl::StrCat("output/", std::filesystem::path(path).stem().string()));
  }
  const absl::Status status = ValidateExperiment(experiment);
  if (!status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat(path, ":\n", status.message()));
  }
  return experiment;
}

absl::Status ValidateExperiment(const Experiment& experiment) {
  Rules rules;
  CheckSolver(experiment.solver(), rules);
  CheckTrainer(experiment.trainer(), rules);
  rules.Check(experiment.data().class_set() != DataConfig::CITYSCAPES_19 ||
                  experiment.model().num_classes() == 19,
              "model.num_classes must be 19, the classes of data.class_set "
              "CITYSCAPES_19, is ",
              experiment.model().num_classes());
  rules.Check(!experiment.data().root().empty(),
              "data.root is not set: the folder that holds leftImg8bit/ and "
              "gtFine/ (or --set data.root=DIR)");
  rules.Check(experiment.eval().num_pictures() >= 0,
              "eval.num_pictures must be 0 or more, is ",
              experiment.eval().num_pictures());
  return rules.ToStatus();
}

}  // namespace mask2former
