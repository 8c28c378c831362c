#ifndef MASK2FORMER_COMMON_POINT_SAMPLE_CHECK_H_
#define MASK2FORMER_COMMON_POINT_SAMPLE_CHECK_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>
#include <c10/util/ArrayRef.h>

#include <optional>

#include "mask2former/common/point_sample_taps.h"

namespace mask2former {

// The sizes by name, for PointSample() of point_sample.h. Every device's
// function begins with this call. Throws c10::Error if shapes, dtypes or
// devices do not fit; rows may be on another device than the rest.
PointSampleSizes CheckPointSample(const at::Tensor& maps,
                                  const std::optional<at::Tensor>& rows,
                                  const at::Tensor& points);

// The same for PointSampleBackward().
PointSampleSizes CheckPointSampleBackward(const at::Tensor& grad_output,
                                          const std::optional<at::Tensor>& rows,
                                          const at::Tensor& points,
                                          at::IntArrayRef map_sizes);

// The maps as kernels read them: contiguous, and in place of floating-point
// types of eight bits and fewer, which no kernel knows, the floats they are.
at::Tensor PreparePointSampleMaps(const at::Tensor& maps);

// Of what PointSample() reads from such maps: double for double, else float.
at::ScalarType PointSampleResultType(const at::Tensor& maps);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_POINT_SAMPLE_CHECK_H_
