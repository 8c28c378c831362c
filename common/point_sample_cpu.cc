#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/ScalarType.h>
#include <c10/util/BFloat16.h>
#include <c10/util/Exception.h>
#include <c10/util/Half.h>
#include <torch/library.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

#include "mask2former/common/point_sample_check.h"
#include "mask2former/common/point_sample_taps.h"

namespace mask2former {
namespace {

// Points whose taps are worked out together when they serve a single map; few
// enough to stay in the first-level cache.
constexpr int64_t kChunk = 512;

// Maps that are worth a thread.
int64_t GrainSize(const PointSampleSizes& sizes) {
  return std::max<int64_t>(1, 8192 / (sizes.points + 1));
}

bool IsImage(const PointSampleSizes& sizes, int64_t row) {
  return row >= 0 && row < sizes.images;
}

template <typename Real>
void MakeTaps(const PointSampleSizes& sizes, const Real* points, int64_t count,
              PointSampleTaps<Real>* taps) {
  for (int64_t i = 0; i < count; ++i) {
    taps[i] = MakePointSampleTaps<Real>(points[2 * i], points[2 * i + 1],
                                        sizes.height, sizes.width);
  }
}

template <typename Real, typename Pixel>
void ReadMap(const Pixel* map, const PointSampleTaps<Real>* taps, int64_t count,
             Real* output) {
  for (int64_t i = 0; i < count; ++i) output[i] = ReadTaps(map, taps[i]);
}

// The reverse of ReadMap: adds to the pixels that were read.
template <typename Real>
void AddToMap(const Real* gradients, const PointSampleTaps<Real>* taps,
              int64_t count, Real* map) {
  for (int64_t i = 0; i < count; ++i) {
    const PointSampleTaps<Real>& t = taps[i];
    for (int k = 0; k < 4; ++k) {
      if (t.weight[k] != 0) map[t.index[k]] += t.weight[k] * gradients[i];
    }
  }
}

// Parallel over groups and their maps. A set of points is worked out once per
// thread.
template <typename Real, typename Pixel>
void ReadMaps(const PointSampleSizes& sizes, const Pixel* maps,
              const int64_t* rows, const Real* points, Real* output) {
  const int64_t pixels = int64_t{sizes.height} * sizes.width;
  const int64_t total = sizes.groups * sizes.maps;
  at::parallel_for(0, total, GrainSize(sizes), [&](int64_t begin, int64_t end) {
    std::vector<PointSampleTaps<Real>> taps;
    while (begin < end) {
      const int64_t group = begin / sizes.maps;
      const int64_t group_end = std::min(end, (group + 1) * sizes.maps);
      const int64_t row = rows != nullptr ? rows[group] : group;
      if (!IsImage(sizes, row)) {
        std::fill(output + begin * sizes.points,
                  output + group_end * sizes.points, Real{0});
        begin = group_end;
        continue;
      }
      const int64_t first_map = (row - group) * sizes.maps;  // For output 0.
      const int64_t chunk = group_end - begin > 1 ? sizes.points : kChunk;
      for (int64_t first = 0; first < sizes.points; first += chunk) {
        const int64_t count = std::min(chunk, sizes.points - first);
        taps.resize(count);
        MakeTaps(sizes, points + 2 * (group * sizes.points + first), count,
                 taps.data());
        for (int64_t i = begin; i < group_end; ++i) {
          ReadMap(maps + (first_map + i) * pixels, taps.data(), count,
                  output + i * sizes.points + first);
        }
      }
      begin = group_end;
    }
  });
}

// The groups that read an image, in their order.
struct Readers {
  int64_t image;
  std::vector<int64_t> groups;
};

// Of every image that is read.
std::vector<Readers> FindReaders(const PointSampleSizes& sizes,
                                 const int64_t* rows) {
  std::vector<std::vector<int64_t>> groups(sizes.images);
  for (int64_t group = 0; group < sizes.groups; ++group) {
    const int64_t row = rows != nullptr ? rows[group] : group;
    if (IsImage(sizes, row)) groups[row].push_back(group);
  }
  std::vector<Readers> readers;
  for (int64_t image = 0; image < sizes.images; ++image) {
    if (!groups[image].empty()) readers.push_back({image, groups[image]});
  }
  return readers;
}

// The gradient of ReadMaps. Parallel over maps, so that no two threads write
// one address and the order of additions is fixed.
template <typename Real>
void AddToMaps(const PointSampleSizes& sizes, const Real* gradients,
               const int64_t* rows, const Real* points, Real* maps) {
  const int64_t pixels = int64_t{sizes.height} * sizes.width;
  const std::vector<Readers> readers = FindReaders(sizes, rows);
  const int64_t total = static_cast<int64_t>(readers.size()) * sizes.maps;
  at::parallel_for(0, total, GrainSize(sizes), [&](int64_t begin, int64_t end) {
    PointSampleTaps<Real> taps[kChunk];
    while (begin < end) {
      const int64_t reader = begin / sizes.maps;
      const int64_t map_begin = begin - reader * sizes.maps;
      const int64_t map_end = std::min(end - reader * sizes.maps, sizes.maps);
      const int64_t image = readers[reader].image;
      for (const int64_t group : readers[reader].groups) {
        for (int64_t first = 0; first < sizes.points; first += kChunk) {
          const int64_t count = std::min(kChunk, sizes.points - first);
          MakeTaps(sizes, points + 2 * (group * sizes.points + first), count,
                   taps);
          for (int64_t m = map_begin; m < map_end; ++m) {
            AddToMap(
                gradients + (group * sizes.maps + m) * sizes.points + first,
                taps, count, maps + (image * sizes.maps + m) * pixels);
          }
        }
      }
      begin += map_end - map_begin;
    }
  });
}

// On the host and contiguous; undefined without rows.
at::Tensor PrepareRows(const std::optional<at::Tensor>& rows) {
  return rows.has_value() ? rows->cpu().contiguous() : at::Tensor();
}

const int64_t* RowPointer(const at::Tensor& rows) {
  return rows.defined() ? rows.const_data_ptr<int64_t>() : nullptr;
}

template <typename Pixel, typename Real>
void Read(const PointSampleSizes& sizes, const at::Tensor& maps,
          const at::Tensor& rows, const at::Tensor& points,
          at::Tensor& output) {
  ReadMaps(sizes, static_cast<const Pixel*>(maps.const_data_ptr()),
           RowPointer(rows), points.const_data_ptr<Real>(),
           output.mutable_data_ptr<Real>());
}

at::Tensor PointSampleCpu(const at::Tensor& maps_in,
                          const std::optional<at::Tensor>& rows_in,
                          const at::Tensor& points_in) {
  const PointSampleSizes sizes = CheckPointSample(maps_in, rows_in, points_in);
  const at::Tensor maps = PreparePointSampleMaps(maps_in);
  const at::Tensor rows = PrepareRows(rows_in);
  const at::Tensor points =
      points_in.to(PointSampleResultType(maps)).contiguous();
  at::Tensor output =
      at::empty({sizes.groups, sizes.maps, sizes.points}, points.options());
  switch (maps.scalar_type()) {
    case at::kDouble:
      Read<double, double>(sizes, maps, rows, points, output);
      break;
    case at::kFloat:
      Read<float, float>(sizes, maps, rows, points, output);
      break;
    case at::kHalf:
      Read<c10::Half, float>(sizes, maps, rows, points, output);
      break;
    case at::kBFloat16:
      Read<c10::BFloat16, float>(sizes, maps, rows, points, output);
      break;
    case at::kBool:  // Stored as 0 or 1.
    case at::kByte:
      Read<uint8_t, float>(sizes, maps, rows, points, output);
      break;
    default:
      TORCH_INTERNAL_ASSERT(false, maps.scalar_type());
  }
  return output;
}

at::Tensor PointSampleBackwardCpu(const at::Tensor& grad_output_in,
                                  const std::optional<at::Tensor>& rows_in,
                                  const at::Tensor& points_in,
                                  at::IntArrayRef map_sizes) {
  const PointSampleSizes sizes =
      CheckPointSampleBackward(grad_output_in, rows_in, points_in, map_sizes);
  const at::Tensor grad_output = grad_output_in.contiguous();
  const at::Tensor rows = PrepareRows(rows_in);
  const at::Tensor points =
      points_in.to(grad_output.scalar_type()).contiguous();
  at::Tensor result = at::zeros(map_sizes, grad_output.options());
  if (grad_output.scalar_type() == at::kDouble) {
    AddToMaps(sizes, grad_output.const_data_ptr<double>(), RowPointer(rows),
              points.const_data_ptr<double>(),
              result.mutable_data_ptr<double>());
  } else {
    AddToMaps(sizes, grad_output.const_data_ptr<float>(), RowPointer(rows),
              points.const_data_ptr<float>(), result.mutable_data_ptr<float>());
  }
  return result;
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CPU, m) {
  m.impl("point_sample", &PointSampleCpu);
  m.impl("point_sample_backward", &PointSampleBackwardCpu);
}

}  // namespace mask2former
