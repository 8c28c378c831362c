#ifndef MASK2FORMER_TRAIN_RUN_DIRECTORY_H_
#define MASK2FORMER_TRAIN_RUN_DIRECTORY_H_

#include <string>

#include "absl/status/status.h"

namespace mask2former {

enum class ExistingRun {
  kRefuse,    // An error that says what to do.
  kResume,    // Go on with it, if there is one.
  kMoveAway,  // Rename the folder to path.1 (.2, ..), start anew.
};

// Makes the folder that a training run writes into, and looks what is there.
// Nothing is ever deleted.
//
// Returns FailedPrecondition if it holds a run and that is refused, or the
// error of the file system if it cannot be made or written to.
absl::Status OpenRunDirectory(const std::string& path, ExistingRun existing);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_RUN_DIRECTORY_H_
