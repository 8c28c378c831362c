#ifndef MASK2FORMER_EVAL_SEMANTIC_TASK_H_
#define MASK2FORMER_EVAL_SEMANTIC_TASK_H_

#include <memory>
#include <string>

#include "mask2former/eval/task_evaluation.h"

namespace mask2former {

// Scores label maps by the pixel-level program's IoU and nIoU and by the
// generic mIoU. For models with all 19 classes. Files go to `folder`/semantic.
std::unique_ptr<TaskEvaluation> MakeSemanticTask(const std::string& folder);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_SEMANTIC_TASK_H_
