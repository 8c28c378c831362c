#ifndef MASK2FORMER_TRAIN_LOGGING_LOG_FILE_H_
#define MASK2FORMER_TRAIN_LOGGING_LOG_FILE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace mask2former {

// While it lives, everything that LOG() says is also added to a text file, as
// on the console: a run that goes on adds to what the file holds already. Lines
// are handed to the system at once, so that a crash cannot lose them.
class LogFile {
 public:
  // Returns the error of the file system, with the path, if `path` cannot be
  // opened.
  static absl::StatusOr<std::unique_ptr<LogFile>> Open(const std::string& path);

  virtual ~LogFile() = default;

 protected:
  LogFile() = default;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_LOGGING_LOG_FILE_H_
