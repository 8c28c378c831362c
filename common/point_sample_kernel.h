#ifndef MASK2FORMER_COMMON_POINT_SAMPLE_KERNEL_H_
#define MASK2FORMER_COMMON_POINT_SAMPLE_KERNEL_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "mask2former/common/cuda/half.h"
#include "mask2former/common/point_sample_taps.h"

namespace mask2former {

// The CUDA side of PointSample() and PointSampleRows(): raw pointers, no
// LibTorch. Both queue a kernel on `stream` and return the launch's error,
// which says nothing about the run. Pointers are to contiguous device memory.

// Reads maps at points.
//
//   maps     [images, maps, H, W] Pixel: uint8_t (also of bool), Float16,
//                                 BFloat16 or float with Real float,
//                                 double with Real double
//   rows     [groups]             nullptr: group g reads maps[g]. One that is
//                                 not in 0 .. images - 1 reads 0
//   points   [groups, points, 2]  (x, y) as in point_sample.h
//   output   [groups, maps, points]
template <typename Pixel, typename Real>
cudaError_t LaunchPointSample(const PointSampleSizes& sizes, const Pixel* maps,
                              const int64_t* rows, const Real* points,
                              Real* output, cudaStream_t stream);

// Adds the gradient of the maps [images, maps, H, W] to what `map_gradients`
// holds, given that of the output. Real is float or double. A row that is not
// in 0 .. images - 1 adds nothing.
//
// Adds with atomics: runs differ in the last bits.
template <typename Real>
cudaError_t LaunchPointSampleBackward(const PointSampleSizes& sizes,
                                      const Real* gradients,
                                      const int64_t* rows, const Real* points,
                                      Real* map_gradients, cudaStream_t stream);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_POINT_SAMPLE_KERNEL_H_
