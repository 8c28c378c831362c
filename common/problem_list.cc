#include "mask2former/common/problem_list.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace mask2former {

absl::Status ListProblems(absl::string_view headline,
                          const std::vector<std::string>& problems) {
  constexpr size_t kShown = 10;
  if (problems.empty()) return absl::OkStatus();
  std::string message = absl::StrCat(headline, ":");
  for (size_t i = 0; i < std::min(kShown, problems.size()); ++i) {
    absl::StrAppend(&message, "\n  ", problems[i]);
  }
  if (problems.size() > kShown) {
    absl::StrAppend(&message, "\n  and ", problems.size() - kShown, " more");
  }
  return absl::InvalidArgumentError(message);
}

absl::Status ListProblemsOf(absl::string_view what,
                            const std::vector<std::string>& problems) {
  return ListProblems(
      absl::StrCat(what, " has ", problems.size(),
                   problems.size() == 1 ? " problem" : " problems"),
      problems);
}

}  // namespace mask2former
