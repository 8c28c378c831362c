#include "mask2former/configs/experiment.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/common/text_proto.h"
#include "mask2former/data/build_data_loader.h"
#include "mask2former/eval/augmented_predictor.h"
#include "mask2former/matcher/build_matcher.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/inference_settings.h"
#include "mask2former/train/criterion/set_criterion.h"
#include "mask2former/train/optimizer/build_optimizer.h"

namespace mask2former {
namespace {

// Collects the rules that are broken.
class Rules {
 public:
  template <typename... Parts>
  void Check(bool holds, const Parts&... message) {
    if (!holds) broken_.push_back(absl::StrCat(message...));
  }

  // All lines of an error of one of the pieces.
  void Check(const absl::Status& status) {
    if (!status.ok()) broken_.emplace_back(status.message());
  }

  bool AllHold() const { return broken_.empty(); }

  absl::Status ToStatus() const {
    if (broken_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(broken_, "\n"));
  }

 private:
  std::vector<std::string> broken_;
};

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

// Whether the model can give the results that it is asked for.
void CheckInference(const Experiment& experiment, Rules& rules) {
  const InferenceConfig& inference = experiment.model().inference();
  const DataConfig& data = experiment.data();
  rules.Check(ValidateInferenceConfig(inference));
  rules.Check(data.class_set() == DataConfig::CITYSCAPES_19 ||
                  (!inference.semantic_on() && !inference.panoptic_on()),
              "model.inference.semantic_on and panoptic_on must be false with "
              "data.class_set CITYSCAPES_THINGS_8: its classes do not cover a "
              "picture");
  rules.Check(data.task() != DataConfig::SEMANTIC ||
                  (!inference.instance_on() && !inference.panoptic_on()),
              "model.inference.instance_on and panoptic_on must be false with "
              "data.task SEMANTIC, which does not tell things apart");
  rules.Check(ValidateTestTimeAugmentation(experiment.eval().tta()));
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
  M2F_RETURN_IF_ERROR(
      WithPrefix(absl::StrCat(path, ":\n"), ValidateExperiment(experiment)));
  return experiment;
}

absl::Status ValidateExperiment(const Experiment& experiment) {
  Rules rules;
  rules.Check(ValidateSolverConfig(experiment.solver()));
  CheckTrainer(experiment.trainer(), rules);
  rules.Check(
      experiment.model().num_classes() == NumClasses(experiment.data()),
      "model.num_classes must be ", NumClasses(experiment.data()),
      ", the classes of ",
      experiment.data().has_folder()
          ? "data.folder"
          : absl::StrCat("data.class_set ", DataConfig::ClassSet_Name(
                                                experiment.data().class_set())),
      ", is ", experiment.model().num_classes());
  CheckInference(experiment, rules);
  rules.Check(ValidateDataConfig(experiment.data()));
  rules.Check(BuildMatcher(experiment.matcher()).status());
  rules.Check(SetCriterion::Create(experiment.criterion()).status());
  rules.Check(experiment.eval().num_pictures() >= 0,
              "eval.num_pictures must be 0 or more, is ",
              experiment.eval().num_pictures());
  rules.Check(experiment.eval().prefetch() >= 1,
              "eval.prefetch must be 1 or more, is ",
              experiment.eval().prefetch());
  // The program will build the model anyway, and that takes a while: only to
  // complete the list.
  if (!rules.AllHold()) {
    rules.Check(BuildSegmentor(experiment.model()).status());
  }
  return rules.ToStatus();
}

}  // namespace mask2former
