#ifndef MASK2FORMER_COMMON_POINT_SAMPLE_WORK_H_
#define MASK2FORMER_COMMON_POINT_SAMPLE_WORK_H_

// Which numbers a thread of the CUDA kernels of PointSample() works on.

#include <cstdint>

#include "mask2former/common/cuda/host_device.h"
#include "mask2former/common/point_sample_taps.h"

namespace mask2former {

// One point in some of its group's maps.
template <typename Real>
struct PointSampleWork {
  PointSampleTaps<Real> taps;
  bool readable;      // The row exists.
  int64_t count;      // Maps.
  int64_t first_map;  // Index of a pixel; that of the next map is map_step on.
  int64_t map_step;
  int64_t first_value;  // Index in [groups, maps, points].
  int64_t value_step;
};

// Point `i` of all groups' points in maps share, share + shares, .. of its
// group. False for an `i` beyond the last point.
template <typename Real>
M2F_HOST_DEVICE inline bool FindPointSampleWork(const PointSampleSizes& sizes,
                                                const int64_t* rows,
                                                const Real* points, int64_t i,
                                                uint32_t share, uint32_t shares,
                                                PointSampleWork<Real>* work) {
  if (i >= sizes.groups * sizes.points) return false;
  const int64_t group = i / sizes.points;
  const int64_t point = i - group * sizes.points;
  const int64_t row = rows != nullptr ? rows[group] : group;
  work->readable = row >= 0 && row < sizes.images;
  const int64_t pixels = int64_t{sizes.height} * sizes.width;
  work->taps = MakePointSampleTaps<Real>(points[2 * i], points[2 * i + 1],
                                         sizes.height, sizes.width);
  work->count = (sizes.maps - share + shares - 1) / shares;
  work->first_map = work->readable ? (row * sizes.maps + share) * pixels : 0;
  work->map_step = shares * pixels;
  work->first_value = (group * sizes.maps + share) * sizes.points + point;
  work->value_step = shares * sizes.points;
  return true;
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_POINT_SAMPLE_WORK_H_
