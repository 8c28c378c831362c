#include "mask2former/eval/progress_lines.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "mask2former/common/logging.h"

namespace mask2former {
namespace {

constexpr double kSecondsBetweenLines = 10;

}  // namespace

std::function<absl::Status(const EvaluationProgress&)> ProgressLines(
    std::function<absl::Status()> go_on) {
  return [last = 0., go_on = std::move(go_on)](
             const EvaluationProgress& progress) mutable -> absl::Status {
    if (progress.seconds - last >= kSecondsBetweenLines) {
      last = progress.seconds;
      LOG(INFO) << absl::StrFormat("%d of %d pictures, %.0f s, %.0f s to go",
                                   progress.done, progress.total,
                                   progress.seconds, progress.eta_seconds);
    }
    return go_on ? go_on() : absl::OkStatus();
  };
}

}  // namespace mask2former
