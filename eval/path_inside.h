#ifndef MASK2FORMER_EVAL_PATH_INSIDE_H_
#define MASK2FORMER_EVAL_PATH_INSIDE_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// The absolute path, without "." and "..", of the file that a result file
// calls `name`. Does not look at the disk, so links are not followed.
//
//   name    relative to `folder`
//   folder  where the name is looked up
//   root    the folder, above `folder` or the same, that names may not leave
//
// Returns InvalidArgument, a sentence without subject ("names the mask ..."),
// for a name that is empty, absolute or leads out of `root`.
//
//   kind  what the file is, for the error: "the mask"
absl::StatusOr<std::string> PathInside(absl::string_view name,
                                       absl::string_view folder,
                                       absl::string_view root,
                                       absl::string_view kind);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PATH_INSIDE_H_
