#ifndef MASK2FORMER_COMMON_PROBLEM_LIST_H_
#define MASK2FORMER_COMMON_PROBLEM_LIST_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// Several problems as one error: InvalidArgument, "<headline>:" and a line for
// each of the first ten; OK if there is none.
absl::Status ListProblems(absl::string_view headline,
                          const std::vector<std::string>& problems);

// The same under "<what> has 3 problems:".
absl::Status ListProblemsOf(absl::string_view what,
                            const std::vector<std::string>& problems);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_PROBLEM_LIST_H_
