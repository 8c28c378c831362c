#ifndef MASK2FORMER_COMMON_FEATURE_PYRAMID_H_
#define MASK2FORMER_COMMON_FEATURE_PYRAMID_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace mask2former {

// What is known of one level before any tensor exists.
struct FeatureLevel {
  int64_t channels = 0;
  int64_t stride = 0;  // Input pixels per feature pixel.
};

// Levels are ordered fine to coarse, for a ResNet {4, 8, 16, 32}.
using FeaturePyramidSpec = std::vector<FeatureLevel>;

// Level i is [B, spec[i].channels, H / spec[i].stride, W / spec[i].stride].
using FeaturePyramid = std::vector<at::Tensor>;

// Returns InvalidArgument unless the levels have exactly these `strides`.
absl::Status CheckStrides(const FeaturePyramidSpec& spec,
                          absl::Span<const int64_t> strides);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_FEATURE_PYRAMID_H_
