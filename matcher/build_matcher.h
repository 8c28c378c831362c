#ifndef MASK2FORMER_MATCHER_BUILD_MATCHER_H_
#define MASK2FORMER_MATCHER_BUILD_MATCHER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "mask2former/matcher/matcher.h"
#include "mask2former/matcher/matcher_config.pb.h"

namespace mask2former {

// Makes the matcher that `config` selects.
//
// Returns InvalidArgument if `config` selects none or is out of range.
absl::StatusOr<std::unique_ptr<Matcher>> BuildMatcher(
    const MatcherConfig& config);

}  // namespace mask2former

#endif  // MASK2FORMER_MATCHER_BUILD_MATCHER_H_
