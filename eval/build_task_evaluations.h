#ifndef MASK2FORMER_EVAL_BUILD_TASK_EVALUATIONS_H_
#define MASK2FORMER_EVAL_BUILD_TASK_EVALUATIONS_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/eval/network_classes.h"
#include "mask2former/eval/task_evaluation.h"
#include "mask2former/model/model_config.pb.h"

namespace mask2former {

// Makes a TaskEvaluation for each task that `config` switches on, in the order
// below. They write to `folder`:
//
//   semantic/{picture}_pred.png                 label ids, 8-bit gray
//   panoptic.json, panoptic/{picture}.png       PanopticFileWriter
//   instance/{picture}_pred.txt, and its masks  InstanceFileWriter
//
// which //eval:score and the benchmark's server take. Folders are made as
// needed.
//
// Returns InvalidArgument if the settings are out of range, or if the classes
// are the 8 things but pixels are to be labelled.
absl::StatusOr<std::vector<std::unique_ptr<TaskEvaluation>>>
BuildTaskEvaluations(const InferenceConfig& config,
                     const NetworkClasses& classes, const std::string& folder);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_BUILD_TASK_EVALUATIONS_H_
