#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_RUN_BODY_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_RUN_BODY_H_

// The taps of a few hundred samples at a time, see
// ms_deform_attn_cpu_kernel_body.h. Include only in sources that have defined
// the macros of vector_body.h.

#include <algorithm>
#include <cstdint>

#include "mask2former/pixel_decoder/ops/bilinear_taps.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_sizes.h"
#include "mask2former/pixel_decoder/ops/vector_body.h"

namespace mask2former::ops::M2F_VECTOR_NAMESPACE {
namespace {

// The level of each of a run of samples.
struct SampleLevels {
  // `queries` times the levels first .. end - 1. Positions count from the first
  // pixel of level `first`.
  SampleLevels(const MsDeformAttnSizes& sizes, const int64_t* level_shapes,
               int64_t first, int64_t end, int64_t queries) {
    for (int64_t q = 0; q < queries; ++q) {
      int64_t position = 0;
      for (int64_t l = first; l < end; ++l) {
        const int64_t level_height = level_shapes[2 * l];
        const int64_t level_width = level_shapes[2 * l + 1];
        height.insert(height.end(), sizes.points, level_height);
        width.insert(width.end(), sizes.points, level_width);
        start.insert(start.end(), sizes.points, position);
        position += level_height * level_width;
      }
    }
  }

  AlignedVector<int32_t> height, width;
  AlignedVector<int32_t> start;  // The level's first position.
};

// A run of samples: some queries of one head, all points of some levels.
template <typename scalar_t>
struct SampleRun {
  SampleRun(const MsDeformAttnSizes& sizes, const int64_t* level_shapes,
            int64_t first_level, int64_t end_level, int64_t max_samples)
      : per_query((end_level - first_level) * sizes.points),
        max_queries(std::max<int64_t>(
            1, max_samples / std::max<int64_t>(per_query, 1))),
        levels(sizes, level_shapes, first_level, end_level, max_queries) {
    const int64_t count = max_queries * per_query;
    locations.resize(2 * count);
    attention.resize(count);
    first.resize(count);
    inside.resize(count);
    y.resize(count);
    x.resize(count);
    for (auto& corner : weights) corner.resize(count);
  }

  const int64_t per_query;    // Samples.
  const int64_t max_queries;  // That fit.
  const SampleLevels levels;
  AlignedVector<scalar_t> locations, attention;
  AlignedVector<int32_t> first;        // BilinearTaps::first, plus the start.
  AlignedVector<int32_t> inside;       // BilinearTaps::inside.
  AlignedVector<scalar_t> y, x;        // BilinearTaps::y and x.
  AlignedVector<scalar_t> weights[4];  // Bilinear weight times `attention`.
  AlignedVector<scalar_t> columns;     // Softmax()'s.
};

// Rows that CopyRows() asks memory for before it reads them: where they are far
// apart, processors do not guess that.
constexpr int64_t kRowsAhead = 32;

// Copies `rows` rows of `size` numbers that start `from_stride` and `to_stride`
// numbers apart, kBytes at a time or, if rows are shorter, half as many.
template <int64_t kBytes = M2F_VECTOR_BYTES, typename scalar_t>
M2F_VECTOR_TARGET void CopyRows(const scalar_t* from, int64_t from_stride,
                                int64_t rows, int64_t size, scalar_t* to,
                                int64_t to_stride) {
  typedef scalar_t Part __attribute__((vector_size(kBytes)));
  constexpr int64_t kStep = kBytes / sizeof(scalar_t);
  if constexpr (kStep > 1) {
    if (size < kStep) {
      CopyRows<kBytes / 2>(from, from_stride, rows, size, to, to_stride);
      return;
    }
  }
  // The last part overlaps the one before where it has to.
  const int64_t last = size - kStep;
  for (int64_t row = 0; last >= 0 && row < rows; ++row) {
    Prefetch(from, kRowsAhead * from_stride, size);
    Part part;
    for (int64_t i = 0; i < last; i += kStep) {
      Load(from + i, &part);
      Store(part, to + i);
    }
    Load(from + last, &part);
    Store(part, to + last);
    from += from_stride;
    to += to_stride;
  }
}

// Fills the rest of the run from the locations and the attention of its first
// `count` samples. kPixels: locations are in pixels of their level already.
template <bool kPixels, typename scalar_t>
M2F_VECTOR_TARGET void FillTaps(int64_t count, SampleRun<scalar_t>* run) {
  const scalar_t* __restrict__ locations = run->locations.data();
  const scalar_t* __restrict__ attention = run->attention.data();
  const int32_t* __restrict__ height = run->levels.height.data();
  const int32_t* __restrict__ width = run->levels.width.data();
  const int32_t* __restrict__ start = run->levels.start.data();
  int32_t* __restrict__ first = run->first.data();
  int32_t* __restrict__ inside = run->inside.data();
  scalar_t* __restrict__ y = run->y.data();
  scalar_t* __restrict__ x = run->x.data();
  scalar_t* __restrict__ weight_0 = run->weights[0].data();
  scalar_t* __restrict__ weight_1 = run->weights[1].data();
  scalar_t* __restrict__ weight_2 = run->weights[2].data();
  scalar_t* __restrict__ weight_3 = run->weights[3].data();
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const scalar_t pixel_y =
        kPixels ? locations[2 * i + 1]
                : locations[2 * i + 1] * height[i] - scalar_t(0.5);
    const scalar_t pixel_x = kPixels
                                 ? locations[2 * i]
                                 : locations[2 * i] * width[i] - scalar_t(0.5);
    const BilinearTaps<scalar_t> tap =
        MakeBilinearTaps<scalar_t>(pixel_y, pixel_x, height[i], width[i]);
    first[i] = start[i] + tap.first;
    inside[i] = tap.inside;
    y[i] = tap.y;
    x[i] = tap.x;
    const scalar_t upper = attention[i] * (1 - tap.y);
    const scalar_t lower = attention[i] * tap.y;
    weight_0[i] = upper * (1 - tap.x);
    weight_1[i] = upper * tap.x;
    weight_2[i] = lower * (1 - tap.x);
    weight_3[i] = lower * tap.x;
  }
}

// Fills the run with the first `queries` queries of locations [.., 2] and
// attention [..], whose samples start `stride` samples apart.
template <typename Run, typename scalar_t>
M2F_VECTOR_TARGET void FillRun(const scalar_t* locations,
                               const scalar_t* attention, int64_t stride,
                               int64_t queries, Run* run) {
  const int64_t per_query = run->per_query;
  CopyRows(locations, 2 * stride, queries, 2 * per_query, run->locations.data(),
           2 * per_query);
  CopyRows(attention, stride, queries, per_query, run->attention.data(),
           per_query);
  FillTaps</*kPixels=*/false>(queries * per_query, run);
}

// Offsets of sample s's four pixels in maps whose pixels are `stride` numbers
// apart, wherever they lie.
template <typename scalar_t>
M2F_VECTOR_INLINE void FillOffsets(const SampleRun<scalar_t>& run, int64_t s,
                                   int64_t stride, int64_t* offsets) {
  offsets[0] = run.first[s] * stride;
  offsets[1] = offsets[0] + stride;
  offsets[2] = offsets[0] + run.levels.width[s] * stride;
  offsets[3] = offsets[2] + stride;
}

M2F_VECTOR_INLINE bool IsInside(int32_t inside, int k) {
  return (inside >> k & 1) != 0;
}

}  // namespace
}  // namespace mask2former::ops::M2F_VECTOR_NAMESPACE

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_RUN_BODY_H_
