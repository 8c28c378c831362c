#ifndef MASK2FORMER_TRAIN_LOGGING_LOG_FILE_H_
#define MASK2FORMER_TRAIN_LOGGING_LOG_FILE_H_

#include <memory>
#include <string>

#include "absl/status/status.h"

namespace mask2former {

// While it lives, everything that LOG() says also goes to a text file, as on
// the console. What is said before the file has a name is kept for it. Lines
// are handed to the system at once, so that a crash cannot lose them.
class LogFile {
 public:
  static std::unique_ptr<LogFile> Create();

  virtual ~LogFile() = default;

  // From now on writes to `path`, after what the file holds already: a run that
  // goes on adds to it.
  //
  // Returns the error of the file system, with the path, if `path` cannot be
  // opened.
  virtual absl::Status WriteTo(const std::string& path) = 0;

 protected:
  LogFile() = default;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_LOGGING_LOG_FILE_H_
