#ifndef MASK2FORMER_EVAL_INSTANCE_TASK_H_
#define MASK2FORMER_EVAL_INSTANCE_TASK_H_

#include <memory>
#include <string>

#include "mask2former/eval/network_classes.h"
#include "mask2former/eval/task_evaluation.h"

namespace mask2former {

// Scores instances by the instance-level program's average precision. Files go
// to `folder`/instance. Pictures show the instances with a score of at least
// 0.5.
std::unique_ptr<TaskEvaluation> MakeInstanceTask(const NetworkClasses& classes,
                                                 const std::string& folder);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_INSTANCE_TASK_H_
