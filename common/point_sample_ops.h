#ifndef MASK2FORMER_COMMON_POINT_SAMPLE_OPS_H_
#define MASK2FORMER_COMMON_POINT_SAMPLE_OPS_H_

#include <ATen/core/Tensor.h>

#include <optional>

#include "mask2former/common/point_sample_taps.h"

namespace mask2former {

// What PointSample() and PointSampleRows() are made of: two operators of
// LibTorch's dispatcher that devices implement. The CPU's files do without.

// Reads maps [M, C, H, W] at points [N, T, 2]: map rows[n], or map n without
// rows, at points[n]. Returns [N, C, T], double for double maps, else float.
// No gradient of its own.
//
// Rows are int64, on any device, and not looked at on the host: one that is not
// in 0 .. M - 1 reads 0. Points are floating point, on the device of the maps.
//
// Throws c10::Error on other shapes, dtypes and devices, as PointSampleAdd().
at::Tensor PointSampleRead(const at::Tensor& maps,
                           const std::optional<at::Tensor>& rows,
                           const at::Tensor& points);

// The gradient of PointSampleRead() with respect to maps of `map_sizes`, given
// that of its result, [N, C, T], float or double; in the latter's type. A row
// that is not in 0 .. M - 1 adds nothing.
at::Tensor PointSampleAdd(const at::Tensor& gradients,
                          const std::optional<at::Tensor>& rows,
                          const at::Tensor& points, at::IntArrayRef map_sizes);

// Whether the device has these operators.
bool HasPointSampleOps(at::Device device);

// The sizes by name, for PointSampleRead(). Every device's function begins with
// this call. Throws c10::Error if shapes, dtypes or devices do not fit.
PointSampleSizes CheckPointSampleRead(const at::Tensor& maps,
                                      const std::optional<at::Tensor>& rows,
                                      const at::Tensor& points);

// The same for PointSampleAdd().
PointSampleSizes CheckPointSampleAdd(const at::Tensor& gradients,
                                     const std::optional<at::Tensor>& rows,
                                     const at::Tensor& points,
                                     at::IntArrayRef map_sizes);

at::ScalarType PointSampleResultType(const at::Tensor& maps);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_POINT_SAMPLE_OPS_H_
