#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_FORWARD_BODY_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_FORWARD_BODY_H_

// The forward direction, see ms_deform_attn_cpu_kernel_body.h. Include only in
// sources that have defined the macros of vector_body.h.

#include <algorithm>
#include <cstdint>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_fused_body.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_padded_body.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_run_body.h"
#include "mask2former/pixel_decoder/ops/vector_body.h"

namespace mask2former::ops::M2F_VECTOR_NAMESPACE {
namespace {

// Vectors of channels that are summed in registers at a time. Each has two
// sums, so that additions need not wait for each other.
template <typename scalar_t>
constexpr int kUnrolled = std::min<int>(4, 32 / kLanes<scalar_t>);

// Samples of a run.
constexpr int64_t kForwardSamples = 192;

// Queries between asking memory for the place of a sum and writing it.
constexpr int64_t kQueriesAhead = 12;

// One head's values.
template <typename scalar_t>
struct MapView {
  const scalar_t* data;
  int64_t stride;         // Numbers from pixel to pixel.
  const scalar_t* zeros;  // Read for pixels outside, if it is not padded.
};

// Adds weight k times pixel k to the sums of kCount elements; corners 0 and 2
// to the first set of sums, 1 and 3 to the second.
template <typename Element, int kCount, typename scalar_t>
M2F_VECTOR_INLINE void AddSample(const scalar_t* weights,
                                 const scalar_t* const* pixels, Element* sums) {
  Element factors[4];
  Broadcast(weights, factors);
  for (int k = 0; k < 4; ++k) {
    for (int v = 0; v < kCount; ++v) {
      Element element;
      Load(pixels[k] + v * (sizeof(Element) / sizeof(scalar_t)), &element);
      sums[k % 2 * kCount + v] += factors[k] * element;
    }
  }
}

// Adds up the samples of the run's query q, in kCount elements of neighbouring
// channels from c on.
template <typename Element, int kCount, typename scalar_t>
M2F_VECTOR_INLINE void AddSamples(const SampleRun<scalar_t>& run, int64_t q,
                                  const MapView<scalar_t>& map, int64_t c,
                                  Element* sums) {
  for (int64_t s = q * run.per_query; s < (q + 1) * run.per_query; ++s) {
    const int32_t inside = run.inside[s];
    if (inside == kNoTap) continue;
    int64_t offsets[4];
    FillOffsets(run, s, map.stride, offsets);
    const scalar_t* pixels[4];
    scalar_t weights[4];
    for (int k = 0; k < 4; ++k) {
      pixels[k] = IsInside(inside, k) ? map.data + offsets[k] + c : map.zeros;
      weights[k] = run.weights[k][s];
    }
    AddSample<Element, kCount>(weights, pixels, sums);
  }
}

// The same in a padded map.
template <typename Element, int kCount, typename scalar_t>
M2F_VECTOR_INLINE void AddSamples(const PaddedRun<scalar_t>& run, int64_t q,
                                  const MapView<scalar_t>& map, int64_t c,
                                  Element* sums) {
  const int32_t* first = run.first.data() + q * run.per_query;
  const scalar_t* weights = run.weights.data() + 4 * q * run.per_query;
  const scalar_t* const data = map.data + c;
  for (const int64_t row : run.rows) {
    for (int64_t p = 0; p < run.points; ++p) {
      const scalar_t* const upper = data + *first * map.stride;
      const scalar_t* const lower = upper + row * map.stride;
      const scalar_t* const pixels[4] = {upper, upper + map.stride, lower,
                                         lower + map.stride};
      AddSample<Element, kCount>(weights, pixels, sums);
      ++first;
      weights += 4;
    }
  }
}

// Writes the sums over the samples of the run's query q.
template <typename Element, int kCount, typename Run, typename scalar_t>
M2F_VECTOR_INLINE void SumSamples(const Run& run, int64_t q,
                                  const MapView<scalar_t>& map, int64_t c,
                                  scalar_t* output) {
  Element sums[2 * kCount] = {};
  AddSamples<Element, kCount>(run, q, map, c, sums);
  for (int v = 0; v < kCount; ++v) {
    Store(sums[v] + sums[kCount + v],
          output + c + v * (sizeof(Element) / sizeof(scalar_t)));
  }
}

// All channels.
template <typename Run, typename scalar_t>
M2F_VECTOR_INLINE void SumChannels(const Run& run, int64_t q,
                                   const MapView<scalar_t>& map,
                                   int64_t channels, scalar_t* output) {
  constexpr int64_t kStep = kUnrolled<scalar_t> * kLanes<scalar_t>;
  int64_t c = 0;
  for (; c + kStep <= channels; c += kStep) {
    SumSamples<Vector<scalar_t>, kUnrolled<scalar_t>>(run, q, map, c, output);
  }
  for (; c + kLanes<scalar_t> <= channels; c += kLanes<scalar_t>) {
    SumSamples<Vector<scalar_t>, 1>(run, q, map, c, output);
  }
  for (; c < channels; ++c) {
    SumSamples<scalar_t, 1>(run, q, map, c, output);
  }
}

// Fills the run with `queries` queries of image b from q on, for head m.
template <typename Run, typename scalar_t>
M2F_VECTOR_TARGET void FillRun(const MsDeformAttnForwardTask<scalar_t>& task,
                               int64_t b, int64_t q, int64_t m, int64_t queries,
                               Run* run) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t first =
      ((b * sizes.queries + q) * sizes.heads + m) * run->per_query;
  FillRun(task.locations + 2 * first, task.weights + first,
          sizes.heads * run->per_query, queries, run);
}

// One part of the forward direction. kChannels: D, or 0 for any.
template <int64_t kChannels, bool kPadded, typename Task, typename Run,
          typename scalar_t>
M2F_VECTOR_TARGET void ForwardPart(const Task& task, int64_t part,
                                   MapView<scalar_t> map, Run* run) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t channels = kChannels > 0 ? kChannels : sizes.head_dim;
  if (kPadded) map.stride = channels;
  const int64_t m = part / kForwardSplit % sizes.heads;
  const int64_t b = part / kForwardSplit / sizes.heads;
  const int64_t split = part % kForwardSplit;
  const int64_t last = sizes.queries * (split + 1) / kForwardSplit;
  int64_t queries = 0;
  for (int64_t q = sizes.queries * split / kForwardSplit; q < last;
       q += queries) {
    queries = std::min(run->max_queries, last - q);
    FillRun(task, b, q, m, queries, run);
    const int64_t cell = (b * sizes.queries + q) * sizes.heads + m;
    const int64_t row = sizes.heads * channels;
    scalar_t* output = task.output + cell * channels;
    for (int64_t i = 0; i < queries; ++i, output += row) {
      Prefetch</*kWrite=*/true>(output, kQueriesAhead * row, channels);
      SumChannels(*run, i, map, channels, output);
    }
  }
}

// Copies each head's values next to each other, zeros around them.
template <typename Task, typename scalar_t>
M2F_VECTOR_TARGET void ForwardPadded(const Task& task,
                                     const PaddedLevels& levels, int64_t begin,
                                     int64_t end) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t channels = sizes.head_dim;
  const int64_t row = sizes.heads * channels;
  PaddedRun<scalar_t> run(sizes, levels, kForwardSamples);
  PaddedMap<scalar_t> map(levels, channels);
  for (int64_t part = begin; part < end; ++part) {
    if (part == begin || part % kForwardSplit == 0) {
      const int64_t m = part / kForwardSplit % sizes.heads;
      const int64_t b = part / kForwardSplit / sizes.heads;
      map.Copy(task.value + b * sizes.positions * row + m * channels, row);
    }
    const MapView<scalar_t> view = {map.data(), channels, nullptr};
    if (channels == 32) {
      ForwardPart<32, true>(task, part, view, &run);
    } else {
      ForwardPart<0, true>(task, part, view, &run);
    }
  }
}

// Reads the values where they are.
template <typename Task, typename scalar_t>
M2F_VECTOR_TARGET void ForwardInPlace(const Task& task, int64_t begin,
                                      int64_t end) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t row = sizes.heads * sizes.head_dim;
  SampleRun<scalar_t> run(sizes, task.level_shapes, 0, sizes.levels,
                          kForwardSamples);
  const AlignedVector<scalar_t> zeros(sizes.head_dim);
  for (int64_t part = begin; part < end; ++part) {
    const int64_t m = part / kForwardSplit % sizes.heads;
    const int64_t b = part / kForwardSplit / sizes.heads;
    const scalar_t* value =
        task.value + b * sizes.positions * row + m * sizes.head_dim;
    ForwardPart<0, false>(task, part,
                          MapView<scalar_t>{value, row, zeros.data()}, &run);
  }
}

// Copies if every pixel is read often enough to make it worth while, and if
// float and int32_t can count the pixels.
template <typename Task, typename scalar_t>
M2F_VECTOR_TARGET void Forward(const Task& task, int64_t begin, int64_t end) {
  constexpr int64_t kMaxPixels = int64_t{1} << 24;
  const MsDeformAttnSizes& sizes = task.sizes;
  const PaddedLevels levels(sizes, task.level_shapes);
  const int64_t samples = sizes.queries * sizes.levels * sizes.points;
  if (2 * levels.size <= samples && levels.size <= kMaxPixels) {
    ForwardPadded<Task, scalar_t>(task, levels, begin, end);
  } else {
    ForwardInPlace<Task, scalar_t>(task, begin, end);
  }
}

}  // namespace
}  // namespace mask2former::ops::M2F_VECTOR_NAMESPACE

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_FORWARD_BODY_H_
