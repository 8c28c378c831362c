#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_PADDED_BODY_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_PADDED_BODY_H_

// A copy of one head's values with zeros around every level, and the taps of
// samples in it: all four pixels of any sample exist, so that nothing has to be
// decided sample by sample. Include only in sources that have defined the
// macros of vector_body.h.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_run_body.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_sizes.h"
#include "mask2former/pixel_decoder/ops/vector_body.h"

namespace mask2former::ops::M2F_VECTOR_NAMESPACE {
namespace {

// Where the pixels lie. A level's rows are one above the map, the map's, and
// two below; each starts with a column left of the map. The pixel right of a
// row is the first of the next one. Samples far outside read below the map.
struct PaddedLevels {
  PaddedLevels(const MsDeformAttnSizes& sizes, const int64_t* level_shapes) {
    for (int64_t l = 0; l < sizes.levels; ++l) {
      const int64_t level_height = level_shapes[2 * l];
      const int64_t level_width = level_shapes[2 * l + 1];
      height.push_back(level_height);
      width.push_back(level_width);
      start.push_back(size + level_width + 1);
      size += (level_height + 3) * (level_width + 1);
    }
  }

  std::vector<int64_t> height, width;
  std::vector<int64_t> start;  // Of each map's upper left pixel.
  int64_t size = 1;            // Pixels of all levels, and one behind them.
};

// One head's values.
template <typename scalar_t>
class PaddedMap {
 public:
  PaddedMap(const PaddedLevels& levels, int64_t channels)
      : levels_(levels), channels_(channels), values_(levels.size * channels) {}

  // Copies the maps, whose pixels start `stride` numbers apart, one level
  // behind the other.
  M2F_VECTOR_TARGET void Copy(const scalar_t* value, int64_t stride) {
    for (size_t l = 0; l < levels_.height.size(); ++l) {
      const int64_t width = levels_.width[l];
      scalar_t* row = values_.data() + levels_.start[l] * channels_;
      for (int64_t y = 0; y < levels_.height[l]; ++y) {
        CopyRows(value, stride, width, channels_, row, channels_);
        value += width * stride;
        row += (width + 1) * channels_;
      }
    }
  }

  const scalar_t* data() const { return values_.data(); }

 private:
  const PaddedLevels& levels_;
  const int64_t channels_;
  AlignedVector<scalar_t> values_;
};

// A run of samples, as SampleRun.
template <typename scalar_t>
struct PaddedRun {
  PaddedRun(const MsDeformAttnSizes& sizes, const PaddedLevels& levels,
            int64_t max_samples)
      : points(sizes.points),
        per_query(sizes.levels * sizes.points),
        max_queries(std::max<int64_t>(
            1, max_samples / std::max<int64_t>(per_query, 1))) {
    for (int64_t q = 0; q < max_queries; ++q) {
      for (int64_t l = 0; l < sizes.levels; ++l) {
        height.insert(height.end(), points, levels.height[l]);
        width.insert(width.end(), points, levels.width[l]);
        start.insert(start.end(), points, levels.start[l]);
        row.insert(row.end(), points, levels.width[l] + 1);
      }
    }
    for (int64_t l = 0; l < sizes.levels; ++l) {
      rows.push_back(levels.width[l] + 1);
    }
    const int64_t count = max_queries * per_query;
    locations.resize(2 * count);
    attention.resize(count);
    first.resize(count);
    weights.resize(4 * count);
  }

  const int64_t points;
  const int64_t per_query;                // Samples.
  const int64_t max_queries;              // That fit.
  AlignedVector<scalar_t> height, width;  // Of each sample's level.
  AlignedVector<int32_t> start, row;  // Of the same: pixels from row to row.
  std::vector<int64_t> rows;          // `row` of each level.
  AlignedVector<scalar_t> locations, attention;
  AlignedVector<int32_t> first;     // Each sample's upper left pixel.
  AlignedVector<scalar_t> weights;  // Four a sample.
  AlignedVector<scalar_t> columns;  // Softmax()'s.
};

// As FillTaps() of a SampleRun.
template <bool kPixels, typename scalar_t>
M2F_VECTOR_TARGET void FillTaps(int64_t count, PaddedRun<scalar_t>* run) {
  const scalar_t* __restrict__ locations = run->locations.data();
  const scalar_t* __restrict__ attention = run->attention.data();
  const scalar_t* __restrict__ height = run->height.data();
  const scalar_t* __restrict__ width = run->width.data();
  const int32_t* __restrict__ start = run->start.data();
  const int32_t* __restrict__ row = run->row.data();
  int32_t* __restrict__ first = run->first.data();
  scalar_t* __restrict__ weights = run->weights.data();
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    scalar_t x = locations[2 * i];
    scalar_t y = locations[2 * i + 1];
    if (!kPixels) {
      x = x * width[i] - scalar_t(0.5);
      y = y * height[i] - scalar_t(0.5);
    }
    const int32_t near = (y > -1) & (y < height[i]) & (x > -1) & (x < width[i]);
    y = near ? y : height[i];
    x = near ? x : scalar_t(-1);
    // The floor. Not std::floor, which compilers do not vectorise.
    int32_t top = static_cast<int32_t>(y);
    int32_t left = static_cast<int32_t>(x);
    top -= static_cast<scalar_t>(top) > y;
    left -= static_cast<scalar_t>(left) > x;
    first[i] = start[i] + top * row[i] + left;
    y -= static_cast<scalar_t>(top);
    x -= static_cast<scalar_t>(left);
    const scalar_t weight = near ? attention[i] : scalar_t(0);
    const scalar_t upper = weight * (1 - y);
    const scalar_t lower = weight * y;
    weights[4 * i] = upper * (1 - x);
    weights[4 * i + 1] = upper * x;
    weights[4 * i + 2] = lower * (1 - x);
    weights[4 * i + 3] = lower * x;
  }
}

}  // namespace
}  // namespace mask2former::ops::M2F_VECTOR_NAMESPACE

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_PADDED_BODY_H_
