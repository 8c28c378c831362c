#include "mask2former/eval/build_task_evaluations.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/eval/instance_task.h"
#include "mask2former/eval/panoptic_task.h"
#include "mask2former/eval/semantic_task.h"
#include "mask2former/model/inference_settings.h"

namespace mask2former {

absl::StatusOr<std::vector<std::unique_ptr<TaskEvaluation>>>
BuildTaskEvaluations(const InferenceConfig& config,
                     const NetworkClasses& classes, const std::string& folder) {
  M2F_RETURN_IF_ERROR(ValidateInferenceConfig(config));
  const bool only_things =
      std::all_of(classes.is_thing.begin(), classes.is_thing.end(),
                  [](bool is_thing) { return is_thing; });
  if (only_things && (config.semantic_on() || config.panoptic_on())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a model of ", classes.is_thing.size(),
        " classes, all of them things, cannot label every pixel: set "
        "model.inference.instance_on and neither semantic_on nor "
        "panoptic_on"));
  }
  std::vector<std::unique_ptr<TaskEvaluation>> tasks;
  if (config.semantic_on()) tasks.push_back(MakeSemanticTask(folder));
  if (config.panoptic_on()) tasks.push_back(MakePanopticTask(classes, folder));
  if (config.instance_on()) tasks.push_back(MakeInstanceTask(classes, folder));
  return tasks;
}

}  // namespace mask2former
