#ifndef MASK2FORMER_EVAL_PROBLEM_LIST_H_
#define MASK2FORMER_EVAL_PROBLEM_LIST_H_

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// InvalidArgument, "<what>:" and a line for each of the first ten `problems`;
// OK if there is none.
inline absl::Status ListProblems(absl::string_view what,
                                 const std::vector<std::string>& problems) {
  constexpr size_t kShown = 10;
  if (problems.empty()) return absl::OkStatus();
  std::string message = absl::StrCat(what, ":");
  for (size_t i = 0; i < std::min(kShown, problems.size()); ++i) {
    absl::StrAppend(&message, "\n  ", problems[i]);
  }
  if (problems.size() > kShown) {
    absl::StrAppend(&message, "\n  and ", problems.size() - kShown, " more");
  }
  return absl::InvalidArgumentError(message);
}

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PROBLEM_LIST_H_
