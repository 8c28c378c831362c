#include "mask2former/matcher/build_matcher.h"

#include "absl/status/status.h"
#include "mask2former/matcher/hungarian_matcher.h"

namespace mask2former {

absl::StatusOr<std::unique_ptr<Matcher>> BuildMatcher(
    const MatcherConfig& config) {
  switch (config.kind_case()) {
    case MatcherConfig::kHungarian:
      return HungarianMatcher::Create(config.hungarian());
    case MatcherConfig::KIND_NOT_SET:
      break;
  }
  return absl::InvalidArgumentError("matcher: set hungarian");
}

}  // namespace mask2former
