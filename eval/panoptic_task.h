#ifndef MASK2FORMER_EVAL_PANOPTIC_TASK_H_
#define MASK2FORMER_EVAL_PANOPTIC_TASK_H_

#include <memory>
#include <string>

#include "mask2former/eval/network_classes.h"
#include "mask2former/eval/task_evaluation.h"

namespace mask2former {

// Scores segments by panoptic quality, against the segments of the instanceIds
// image. Files go to `folder`/panoptic and `folder`/panoptic.json.
std::unique_ptr<TaskEvaluation> MakePanopticTask(const NetworkClasses& classes,
                                                 const std::string& folder);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PANOPTIC_TASK_H_
