// One thread per point: it works out the point's pixels and weights once and
// goes through some of the group's maps, as many blocks apart as share them.
// Neighbouring threads have neighbouring points, so outputs and gradients are
// read and written in whole lines; the maps' pixels lie wherever points do.

#include <cuda_runtime.h>

#include <algorithm>

#include "mask2former/common/cuda/launch.h"
#include "mask2former/common/point_sample_kernel.h"
#include "mask2former/common/point_sample_work.h"

namespace mask2former {
namespace {

constexpr int kThreads = 256;
constexpr int64_t kMaxBlocksY = 65535;
// Enough to fill any GPU; more blocks would work out the same points again.
constexpr int64_t kWantedBlocks = 4096;

// False for a thread beyond the last point.
template <typename Real>
__device__ bool FindWork(const PointSampleSizes& sizes,
                         const int64_t* __restrict__ rows,
                         const Real* __restrict__ points,
                         PointSampleWork<Real>* work) {
  return FindPointSampleWork(sizes, rows, points,
                             int64_t{blockIdx.x} * blockDim.x + threadIdx.x,
                             blockIdx.y, gridDim.y, work);
}

template <typename Pixel, typename Real>
__global__ void __launch_bounds__(kThreads)
    ReadKernel(PointSampleSizes sizes, const Pixel* __restrict__ maps,
               const int64_t* __restrict__ rows,
               const Real* __restrict__ points, Real* __restrict__ output) {
  PointSampleWork<Real> work;
  if (!FindWork(sizes, rows, points, &work)) return;
  const Pixel* map = maps + work.first_map;
  Real* value = output + work.first_value;
  for (int64_t m = work.count;;) {
    *value = work.readable ? ReadTaps(map, work.taps) : Real{0};
    // Not one step further: that could lie outside the arrays.
    if (--m == 0) break;
    if (work.readable) map += work.map_step;
    value += work.value_step;
  }
}

template <typename Real>
__global__ void __launch_bounds__(kThreads)
    AddKernel(PointSampleSizes sizes, const Real* __restrict__ gradients,
              const int64_t* __restrict__ rows, const Real* __restrict__ points,
              Real* map_gradients) {
  PointSampleWork<Real> work;
  if (!FindWork(sizes, rows, points, &work) || !work.readable) return;
  const Real* gradient = gradients + work.first_value;
  Real* map = map_gradients + work.first_map;
  for (int64_t m = work.count;;) {
    const Real value = *gradient;
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      if (work.taps.weight[k] == 0) continue;
      atomicAdd(map + work.taps.index[k], work.taps.weight[k] * value);
    }
    if (--m == 0) break;
    gradient += work.value_step;
    map += work.map_step;
  }
}

dim3 MakeGrid(const PointSampleSizes& sizes) {
  const int64_t blocks =
      (sizes.groups * sizes.points + kThreads - 1) / kThreads;
  const int64_t share = std::min(
      {sizes.maps, kMaxBlocksY, std::max<int64_t>(1, kWantedBlocks / blocks)});
  return dim3(static_cast<unsigned>(blocks), static_cast<unsigned>(share));
}

bool IsEmpty(const PointSampleSizes& sizes) {
  return sizes.groups == 0 || sizes.maps == 0 || sizes.points == 0;
}

}  // namespace

template <typename Pixel, typename Real>
cudaError_t LaunchPointSample(const PointSampleSizes& sizes, const Pixel* maps,
                              const int64_t* rows, const Real* points,
                              Real* output, cudaStream_t stream) {
  if (IsEmpty(sizes)) return cudaSuccess;
  return LaunchKernel(ReadKernel<Pixel, Real>, MakeGrid(sizes), kThreads, 0,
                      stream, sizes, maps, rows, points, output);
}

template <typename Real>
cudaError_t LaunchPointSampleBackward(const PointSampleSizes& sizes,
                                      const Real* gradients,
                                      const int64_t* rows, const Real* points,
                                      Real* map_gradients,
                                      cudaStream_t stream) {
  if (IsEmpty(sizes)) return cudaSuccess;
  return LaunchKernel(AddKernel<Real>, MakeGrid(sizes), kThreads, 0, stream,
                      sizes, gradients, rows, points, map_gradients);
}

#define M2F_INSTANTIATE(Pixel, Real)                                   \
  template cudaError_t LaunchPointSample(const PointSampleSizes&,      \
                                         const Pixel*, const int64_t*, \
                                         const Real*, Real*, cudaStream_t);
M2F_INSTANTIATE(uint8_t, float)
M2F_INSTANTIATE(Float16, float)
M2F_INSTANTIATE(BFloat16, float)
M2F_INSTANTIATE(float, float)
M2F_INSTANTIATE(double, double)
#undef M2F_INSTANTIATE

template cudaError_t LaunchPointSampleBackward(const PointSampleSizes&,
                                               const float*, const int64_t*,
                                               const float*, float*,
                                               cudaStream_t);
template cudaError_t LaunchPointSampleBackward(const PointSampleSizes&,
                                               const double*, const int64_t*,
                                               const double*, double*,
                                               cudaStream_t);

}  // namespace mask2former
