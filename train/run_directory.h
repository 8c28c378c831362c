#ifndef MASK2FORMER_TRAIN_RUN_DIRECTORY_H_
#define MASK2FORMER_TRAIN_RUN_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"

namespace mask2former {

enum class ExistingRun {
  kRefuse,    // An error that says what to do.
  kResume,    // Go on from its newest checkpoint.
  kMoveAway,  // Rename the folder to path.1 (.2, ..), start anew.
};

struct RunDirectory {
  std::string path;
  // The newest checkpoint, or empty to start from the beginning.
  std::string checkpoint;
};

// Makes the folder that a training run writes into, and looks what is there.
// Nothing is ever deleted.
//
// Returns FailedPrecondition if it holds a run and that is refused, or the
// error of the file system if it cannot be made or written to.
absl::StatusOr<RunDirectory> OpenRunDirectory(const std::string& path,
                                              ExistingRun existing);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_RUN_DIRECTORY_H_
