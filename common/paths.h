#ifndef MASK2FORMER_COMMON_PATHS_H_
#define MASK2FORMER_COMMON_PATHS_H_

#include <string>

#include "absl/strings/string_view.h"

namespace mask2former {

// A path as the person who typed it meant it: relative to the folder they stood
// in. "bazel run" starts programs elsewhere and names that folder in the
// environment variable BUILD_WORKING_DIRECTORY; without it, or for an absolute
// path, `path` is returned as it is. "~/" at its start is the home folder.
// Empty stays empty.
std::string ResolveUserPath(absl::string_view path);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_PATHS_H_
