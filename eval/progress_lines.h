#ifndef MASK2FORMER_EVAL_PROGRESS_LINES_H_
#define MASK2FORMER_EVAL_PROGRESS_LINES_H_

#include <functional>

#include "absl/status/status.h"
#include "mask2former/eval/evaluator.h"

namespace mask2former {

// For EvaluatorOptions::progress: a line in the log every ten seconds.
//
//   go_on  asked after every picture; its error ends the evaluation. May be
//          empty.
std::function<absl::Status(const EvaluationProgress&)> ProgressLines(
    std::function<absl::Status()> go_on = nullptr);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PROGRESS_LINES_H_
