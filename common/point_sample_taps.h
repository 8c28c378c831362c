#ifndef MASK2FORMER_COMMON_POINT_SAMPLE_TAPS_H_
#define MASK2FORMER_COMMON_POINT_SAMPLE_TAPS_H_

// The arithmetic of PointSample(), shared by the CPU and the CUDA kernels.

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "mask2former/common/cuda/half.h"
#include "mask2former/common/cuda/host_device.h"

namespace mask2former {

// Maps are [images, maps, height, width], points [groups, points, 2].
struct PointSampleSizes {
  int64_t groups;  // Sets of points.
  int64_t maps;    // Maps that each reads.
  int64_t points;
  int32_t height;
  int32_t width;
  int64_t images;  // As `groups`, unless rows say which each reads.
};

// The four pixels around a point and their weights. A pixel outside the map
// has weight 0 and an index inside.
template <typename Real>
struct PointSampleTaps {
  int32_t index[4];
  Real weight[4];
};

// Coordinates are 0..1; a point a pixel or more outside, or NaN, has weights 0.
// The operations of grid_sample in their order, so that both round alike.
template <typename Real>
M2F_HOST_DEVICE inline PointSampleTaps<Real> MakePointSampleTaps(
    Real point_x, Real point_y, int32_t height, int32_t width) {
  const Real x = ((2 * point_x - 1) + 1) * (static_cast<Real>(width) / 2) -
                 static_cast<Real>(0.5);
  const Real y = ((2 * point_y - 1) + 1) * (static_cast<Real>(height) / 2) -
                 static_cast<Real>(0.5);
  // Written so that NaN fails, too.
  if (!(x > -1 && x < width && y > -1 && y < height)) return {};
  const Real floor_x = std::floor(x);
  const Real floor_y = std::floor(y);
  const Real right = x - floor_x;
  const Real below = y - floor_y;
  const int32_t x0 = static_cast<int32_t>(floor_x);
  const int32_t y0 = static_cast<int32_t>(floor_y);
  const Real left_weight = x0 >= 0 ? 1 - right : 0;
  const Real right_weight = x0 + 1 < width ? right : 0;
  const Real top_weight = y0 >= 0 ? 1 - below : 0;
  const Real bottom_weight = y0 + 1 < height ? below : 0;
  const int32_t column0 = std::max(x0, 0);
  const int32_t column1 = std::min(x0 + 1, width - 1);
  const int32_t row0 = std::max(y0, 0) * width;
  const int32_t row1 = std::min(y0 + 1, height - 1) * width;
  return {{row0 + column0, row0 + column1, row1 + column0, row1 + column1},
          {left_weight * top_weight, right_weight * top_weight,
           left_weight * bottom_weight, right_weight * bottom_weight}};
}

template <typename Real, typename Pixel>
M2F_HOST_DEVICE inline Real ToReal(Pixel pixel) {
  return static_cast<Real>(pixel);
}
template <typename Real>
M2F_HOST_DEVICE inline Real ToReal(Float16 pixel) {
  return ToFloat(pixel);
}
template <typename Real>
M2F_HOST_DEVICE inline Real ToReal(BFloat16 pixel) {
  return ToFloat(pixel);
}

template <typename Real, typename Pixel>
M2F_HOST_DEVICE inline Real ReadTap(const Pixel* map,
                                    const PointSampleTaps<Real>& taps, int k) {
  // Read in any case, which is faster than a branch.
  const Real pixel = ToReal<Real>(map[taps.index[k]]);
  return taps.weight[k] != 0 ? pixel * taps.weight[k] : 0;
}

// The map's value at the point. A pixel of weight 0 does not count, not even
// if it is infinite or NaN.
template <typename Real, typename Pixel>
M2F_HOST_DEVICE inline Real ReadTaps(const Pixel* map,
                                     const PointSampleTaps<Real>& taps) {
  return ReadTap(map, taps, 0) + ReadTap(map, taps, 1) + ReadTap(map, taps, 2) +
         ReadTap(map, taps, 3);
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_POINT_SAMPLE_TAPS_H_
