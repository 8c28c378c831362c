#ifndef MASK2FORMER_DATA_GLOB_H_
#define MASK2FORMER_DATA_GLOB_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

struct GlobMatch {
  std::string path;
  // What each "*" stands for, in order.
  std::vector<std::string> stars;
};

// The files below `root` that match a pattern such as "images/*/*_rgb.png", by
// path in byte order. A "*" stands for any text without "/", also for none;
// names that begin with "." match only a pattern that does.
//
// Returns NotFound if nothing matches; the message names the folder that does
// not exist, or what is in it instead.
absl::StatusOr<std::vector<GlobMatch>> Glob(const std::string& root,
                                            const std::string& pattern);

// Pairs pictures and labels for which every "*" stands for the same text.
//
// Returns as Glob(); InvalidArgument if the patterns differ in their number of
// "*", or pictures have no label: the message names the first of them.
absl::StatusOr<std::vector<std::pair<GlobMatch, GlobMatch>>> GlobPairs(
    const std::string& root, const std::string& images,
    const std::string& labels);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_GLOB_H_
