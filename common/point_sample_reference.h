#ifndef MASK2FORMER_COMMON_POINT_SAMPLE_REFERENCE_H_
#define MASK2FORMER_COMMON_POINT_SAMPLE_REFERENCE_H_

#include <ATen/core/Tensor.h>

#include <optional>

namespace mask2former {

// The meaning of PointSample() with its optional rows, composed of LibTorch's
// operators: maps are gathered, converted to the result's dtype and read by
// grid_sampler. Same arguments, result and gradient, on any device; what
// devices compute that have no kernel. Copies maps; at points that are NaN,
// LibTorch decides.
at::Tensor PointSampleReference(const at::Tensor& maps,
                                const std::optional<at::Tensor>& rows,
                                const at::Tensor& points);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_POINT_SAMPLE_REFERENCE_H_
