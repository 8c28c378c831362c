#include "mask2former/train/run_directory.h"

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/train/run_checkpoint.h"

namespace mask2former {
namespace {

absl::Status MoveAway(const std::string& path) {
  for (int i = 1;; ++i) {
    const std::string aside = absl::StrCat(path, ".", i);
    if (DirectoryExists(aside) || FileExists(aside)) continue;
    std::error_code error;
    std::filesystem::rename(path, aside, error);
    if (!error) return absl::OkStatus();
    return absl::FailedPreconditionError(absl::StrCat(
        "could not rename ", path, " to ", aside, ": ", error.message()));
  }
}

// Fails now rather than at the first checkpoint.
absl::Status CheckWritable(const std::string& path) {
  const std::string probe = absl::StrCat(path, "/.writable");
  M2F_RETURN_IF_ERROR(WriteFileAtomically(probe, ""));
  std::error_code error;
  std::filesystem::remove(probe, error);
  return absl::OkStatus();
}

}  // namespace

absl::Status OpenRunDirectory(const std::string& path, ExistingRun existing) {
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> checkpoints,
                       ListRunCheckpoints(path));
  if (existing != ExistingRun::kResume &&
      (FileExists(absl::StrCat(path, "/metrics.jsonl")) ||
       !checkpoints.empty())) {
    if (existing == ExistingRun::kRefuse) {
      return absl::FailedPreconditionError(absl::StrCat(
          path, " holds a run already",
          checkpoints.empty()
              ? ""
              : absl::StrCat(" (newest checkpoint: ", checkpoints.back(), ")"),
          ". Go on with --resume, move it away with --overwrite, or choose "
          "another folder with --output_dir=DIR"));
    }
    M2F_RETURN_IF_ERROR(MoveAway(path));
  }
  M2F_RETURN_IF_ERROR(CreateDirectories(path));
  return CheckWritable(path);
}

}  // namespace mask2former
