#ifndef MASK2FORMER_COMMON_POINT_SAMPLE_H_
#define MASK2FORMER_COMMON_POINT_SAMPLE_H_

// Reading maps at points, as an operator of LibTorch's dispatcher,
// mask2former::point_sample.

#include <ATen/core/Tensor.h>
#include <c10/util/ArrayRef.h>

#include <optional>

namespace mask2former {

// Reads maps at points by bilinear interpolation; every map of an image at the
// same points.
//
//   maps     [N, C, H, W]  bool, uint8 or floating point
//   points   [N, T, 2]     (x, y) in 0..1 of the map: (0, 0) is the outer
//                          corner of the first pixel, (1, 1) that of the last,
//                          so maps of different sizes can be read at the same
//                          points
//   returns  [N, C, T]     double for double maps, else float
//
// Pixels outside the map are 0, hence values fade within half a pixel of the
// border. Points far outside read 0. N, C and T may be 0.
//
// Differentiable once in floating-point maps, not in points. The CPU's kernels
// are deterministic and give the same bits for any number of threads. On a GPU
// gradients are added with atomics: runs differ in the last bits, and
// at::globalContext()'s deterministic mode refuses. GPUs have kernels in a
// build with --config=cuda; devices that have none compute
// PointSampleReference().
//
// Throws c10::Error on other shapes or dtypes, and if maps and points are not
// on one device.
//
// Source: equals detectron2's point_sample, that is grid_sample(2 points - 1)
// with zero padding and align_corners = false.
at::Tensor PointSample(const at::Tensor& maps, const at::Tensor& points);

// Reads some maps, each at points of its own: map rows[i] at points[i].
//
//   maps     [M, H, W]  as above
//   rows     [n]        int64, 0 .. M - 1
//   points   [n, T, 2]  as above
//   returns  [n, T]
//
// The rest as above. Maps in host memory are read in place: no copy of the rows
// is made, and none in floating point. A row may be read twice. The rows are
// checked on the host: keep them there, or a GPU's queue is waited for.
at::Tensor PointSampleRows(const at::Tensor& maps, const at::Tensor& rows,
                           const at::Tensor& points);

// The operator that both call: the maps [C, H, W] of image rows[n], or n
// without rows, at points[n]. Returns [N, C, T] for points [N, T, 2].
//
// Rows may be on another device than the rest and are not looked at on the
// host: one that is not in 0 .. M - 1, of maps [M, C, H, W], reads 0.
at::Tensor PointSample(const at::Tensor& maps,
                       const std::optional<at::Tensor>& rows,
                       const at::Tensor& points);

// Gradient of the above in maps of `map_sizes`, given that of its result,
// [N, C, T], float or double; in the latter's dtype. A row that is not in
// 0 .. M - 1 adds nothing. Called by autograd; public for tests.
at::Tensor PointSampleBackward(const at::Tensor& grad_output,
                               const std::optional<at::Tensor>& rows,
                               const at::Tensor& points,
                               at::IntArrayRef map_sizes);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_POINT_SAMPLE_H_
