#ifndef MASK2FORMER_DATA_TESTING_ZIP_FOLDER_H_
#define MASK2FORMER_DATA_TESTING_ZIP_FOLDER_H_

#include <string>

#include "absl/status/status.h"

namespace mask2former {

// Writes the zip archive `path` of all files in folder `root`/`name`, under
// names that begin with `name`; every other one compressed, the rest as it is.
absl::Status ZipFolder(const std::string& root, const std::string& name,
                       const std::string& path);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TESTING_ZIP_FOLDER_H_
