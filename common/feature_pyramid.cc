#include "mask2former/common/feature_pyramid.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace mask2former {

absl::Status CheckStrides(const FeaturePyramidSpec& spec,
                          absl::Span<const int64_t> strides) {
  std::vector<int64_t> got;
  for (const FeatureLevel& level : spec) got.push_back(level.stride);
  if (absl::MakeConstSpan(got) == strides) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "the feature pyramid must have strides ", absl::StrJoin(strides, ", "),
      ", got ", absl::StrJoin(got, ", ")));
}

}  // namespace mask2former
