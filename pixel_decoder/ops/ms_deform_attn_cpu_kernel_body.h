#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_BODY_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_BODY_H_

// The kernels of ms_deform_attn_cpu_kernel.h for one set of vector
// instructions. Included only by ms_deform_attn_cpu_kernel_<set>.cc, after it
// has defined the macros of vector_body.h.
//
// Both directions take two steps for a run of samples, each of which is a
// (query, head, level, point). First the taps of all of them, vectorised over
// the samples; then the channels of one after another, vectorised over the
// channels. Between the steps the taps lie in arrays that fit the L1 cache.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "mask2former/pixel_decoder/ops/bilinear_taps.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"
#include "mask2former/pixel_decoder/ops/vector_body.h"

namespace mask2former::ops::M2F_VECTOR_NAMESPACE {
namespace {

// Vectors that are summed in registers at a time: the paper's 32 channels per
// head, if that is not more than half of the registers.
template <typename scalar_t>
constexpr int kUnrolled = std::min<int>(8, 32 / kLanes<scalar_t>);

// Samples of the backward direction that share the first step.
constexpr int64_t kBackwardSamples = 256;

// The level of each of a run of samples.
struct SampleLevels {
  explicit SampleLevels(int64_t count)
      : height(count), width(count), start(count) {}

  void Set(int64_t sample, int64_t level_height, int64_t level_width,
           int64_t level_start) {
    height[sample] = static_cast<int32_t>(level_height);
    width[sample] = static_cast<int32_t>(level_width);
    start[sample] = static_cast<int32_t>(level_start);
  }

  std::vector<int32_t> height, width;
  std::vector<int32_t> start;  // First of the S positions.
};

// The taps of a run of samples.
template <typename scalar_t>
struct SampleTaps {
  explicit SampleTaps(int64_t count)
      : first(count), inside(count), y(count), x(count) {
    for (auto& corner : weights) corner.resize(count);
  }

  std::vector<int32_t> first;        // BilinearTaps::first, of the S positions.
  std::vector<int32_t> inside;       // BilinearTaps::inside.
  std::vector<scalar_t> y, x;        // BilinearTaps::y and x.
  std::vector<scalar_t> weights[4];  // Bilinear weight times `attention`.
};

// The first step. locations is [count, 2], attention [count].
template <typename scalar_t>
M2F_VECTOR_TARGET void FillTaps(const SampleLevels& levels,
                                const scalar_t* __restrict__ locations,
                                const scalar_t* __restrict__ attention,
                                int64_t count, SampleTaps<scalar_t>* taps) {
  const int32_t* __restrict__ height = levels.height.data();
  const int32_t* __restrict__ width = levels.width.data();
  const int32_t* __restrict__ start = levels.start.data();
  int32_t* __restrict__ first = taps->first.data();
  int32_t* __restrict__ inside = taps->inside.data();
  scalar_t* __restrict__ y = taps->y.data();
  scalar_t* __restrict__ x = taps->x.data();
  scalar_t* __restrict__ weight_0 = taps->weights[0].data();
  scalar_t* __restrict__ weight_1 = taps->weights[1].data();
  scalar_t* __restrict__ weight_2 = taps->weights[2].data();
  scalar_t* __restrict__ weight_3 = taps->weights[3].data();
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const BilinearTaps<scalar_t> tap = MakeBilinearTaps<scalar_t>(
        locations[2 * i + 1] * height[i] - scalar_t(0.5),
        locations[2 * i] * width[i] - scalar_t(0.5), height[i], width[i]);
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

// Offsets of a sample's four pixels in [S, M, D], wherever they lie.
M2F_VECTOR_INLINE void FillOffsets(int32_t first, int32_t width, int64_t stride,
                                   int64_t* offsets) {
  offsets[0] = first * stride;
  offsets[1] = offsets[0] + stride;
  offsets[2] = offsets[0] + width * stride;
  offsets[3] = offsets[2] + stride;
}

M2F_VECTOR_INLINE bool IsInside(int32_t inside, int k) {
  return inside == kAllTaps || (inside >> k & 1) != 0;
}

// Writes the weighted sums of kCount elements of neighbouring channels over the
// samples begin .. end - 1, which belong to one query and head. `map` points
// at the first channel of position 0, `zeros` at as many zeros.
template <typename Element, int kCount, typename scalar_t>
M2F_VECTOR_INLINE void SumSamples(const SampleLevels& levels,
                                  const SampleTaps<scalar_t>& taps,
                                  int64_t begin, int64_t end,
                                  const scalar_t* map, int64_t stride,
                                  const scalar_t* zeros, scalar_t* output) {
  constexpr int64_t kSize = sizeof(Element) / sizeof(scalar_t);
  Element sums[kCount] = {};
  for (int64_t s = begin; s < end; ++s) {
    const int32_t inside = taps.inside[s];
    if (inside == kNoTap) continue;
    int64_t offsets[4];
    FillOffsets(taps.first[s], levels.width[s], stride, offsets);
    for (int k = 0; k < 4; ++k) {
      const scalar_t* pixel = IsInside(inside, k) ? map + offsets[k] : zeros;
      const scalar_t weight = taps.weights[k][s];
      for (int v = 0; v < kCount; ++v) {
        Element element;
        Load(pixel + v * kSize, &element);
        sums[v] += weight * element;
      }
    }
  }
  for (int v = 0; v < kCount; ++v) Store(sums[v], output + v * kSize);
}

template <typename scalar_t>
M2F_VECTOR_TARGET void Forward(const MsDeformAttnForwardTask<scalar_t>& task,
                               int64_t begin, int64_t end) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t head_dim = sizes.head_dim;
  const int64_t stride = sizes.heads * head_dim;
  const int64_t head_samples = sizes.levels * sizes.points;
  const int64_t samples = sizes.heads * head_samples;
  SampleLevels levels(samples);
  SampleTaps<scalar_t> taps(samples);
  for (int64_t i = 0; i < samples;) {
    int64_t start = 0;
    for (int64_t l = 0; l < sizes.levels; ++l) {
      const int64_t height = task.level_shapes[2 * l];
      const int64_t width = task.level_shapes[2 * l + 1];
      for (int64_t p = 0; p < sizes.points; ++p) {
        levels.Set(i++, height, width, start);
      }
      start += height * width;
    }
  }
  const std::vector<scalar_t> zeros(head_dim);
  for (int64_t row = begin; row < end; ++row) {
    FillTaps(levels, task.locations + 2 * samples * row,
             task.weights + samples * row, samples, &taps);
    const scalar_t* map =
        task.value + row / sizes.queries * sizes.positions * stride;
    scalar_t* output = task.output + row * stride;
    for (int64_t m = 0; m < sizes.heads; ++m) {
      const int64_t first = m * head_samples;
      const int64_t last = first + head_samples;
      const int64_t channels_end = (m + 1) * head_dim;
      int64_t c = m * head_dim;
      constexpr int64_t kStep = kUnrolled<scalar_t> * kLanes<scalar_t>;
      for (; c + kStep <= channels_end; c += kStep) {
        SumSamples<Vector<scalar_t>, kUnrolled<scalar_t>>(
            levels, taps, first, last, map + c, stride, zeros.data(),
            output + c);
      }
      for (; c + kLanes<scalar_t> <= channels_end; c += kLanes<scalar_t>) {
        SumSamples<Vector<scalar_t>, 1>(levels, taps, first, last, map + c,
                                        stride, zeros.data(), output + c);
      }
      for (; c < channels_end; ++c) {
        SumSamples<scalar_t, 1>(levels, taps, first, last, map + c, stride,
                                zeros.data(), output + c);
      }
    }
  }
}

// For one sample: adds weights[k] * grad to each grad_pixels[k], and writes the
// dot product of grad and pixels[k] to dots[k]. kVectors is the number of
// vectors that `channels` fill exactly, or 0.
template <int kVectors, typename scalar_t>
M2F_VECTOR_INLINE void ScatterSample(const scalar_t* grad,
                                     const scalar_t* const* pixels,
                                     scalar_t* const* grad_pixels,
                                     const scalar_t* weights, int64_t channels,
                                     scalar_t* dots) {
  Vector<scalar_t> sums[4] = {};
  const int64_t vectors = kVectors > 0 ? kVectors : channels / kLanes<scalar_t>;
  for (int64_t v = 0; v < vectors; ++v) {
    const int64_t c = v * kLanes<scalar_t>;
    Vector<scalar_t> grad_vector;
    Load(grad + c, &grad_vector);
    for (int k = 0; k < 4; ++k) {
      Vector<scalar_t> pixel, grad_pixel;
      Load(pixels[k] + c, &pixel);
      Load(grad_pixels[k] + c, &grad_pixel);
      sums[k] += grad_vector * pixel;
      grad_pixel += weights[k] * grad_vector;
      Store(grad_pixel, grad_pixels[k] + c);
    }
  }
  SumLanes(sums, dots);
  if constexpr (kVectors == 0) {
    for (int64_t c = vectors * kLanes<scalar_t>; c < channels; ++c) {
      for (int k = 0; k < 4; ++k) {
        dots[k] += grad[c] * pixels[k][c];
        grad_pixels[k][c] += weights[k] * grad[c];
      }
    }
  }
}

// Gradients of the coordinates and weights of a run of samples from the dot
// products dots [count, 4].
template <typename scalar_t>
M2F_VECTOR_TARGET void FillSampleGradients(
    const SampleLevels& levels, const SampleTaps<scalar_t>& taps,
    const scalar_t* __restrict__ attention, const scalar_t* __restrict__ dots,
    int64_t count, scalar_t* __restrict__ grad_locations,
    scalar_t* __restrict__ grad_attention) {
  const int32_t* __restrict__ height = levels.height.data();
  const int32_t* __restrict__ width = levels.width.data();
  const int32_t* __restrict__ inside = taps.inside.data();
  const scalar_t* __restrict__ taps_y = taps.y.data();
  const scalar_t* __restrict__ taps_x = taps.x.data();
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const scalar_t y = taps_y[i];
    const scalar_t x = taps_x[i];
    const scalar_t upper_left = dots[4 * i];
    const scalar_t upper_right = dots[4 * i + 1];
    const scalar_t lower_left = dots[4 * i + 2];
    const scalar_t lower_right = dots[4 * i + 3];
    const scalar_t weight = inside[i] == kNoTap ? scalar_t(0) : attention[i];
    grad_attention[i] = (1 - y) * ((1 - x) * upper_left + x * upper_right) +
                        y * ((1 - x) * lower_left + x * lower_right);
    grad_locations[2 * i] =
        weight * width[i] *
        ((1 - y) * (upper_right - upper_left) + y * (lower_right - lower_left));
    grad_locations[2 * i + 1] =
        weight * height[i] *
        ((1 - x) * (lower_left - upper_left) + x * (lower_right - upper_right));
  }
}

// What one thread of the backward direction reuses.
template <typename scalar_t>
struct BackwardBuffers {
  BackwardBuffers(int64_t count, int64_t head_dim)
      : levels(count),
        taps(count),
        locations(2 * count),
        attention(count),
        grad_attention(count),
        dots(4 * count),
        zeros(head_dim),
        unused(head_dim) {}

  SampleLevels levels;
  SampleTaps<scalar_t> taps;
  std::vector<scalar_t> locations;  // And then their gradients.
  std::vector<scalar_t> attention, grad_attention;
  std::vector<scalar_t> dots;
  std::vector<scalar_t> zeros;   // Read in place of pixels outside,
  std::vector<scalar_t> unused;  // whose gradients go here.
};

// One part: batch b, head m, level l, whose pixels start at position `start`.
template <int kVectors, typename scalar_t>
M2F_VECTOR_TARGET void BackwardPart(
    const MsDeformAttnBackwardTask<scalar_t>& task, int64_t b, int64_t m,
    int64_t l, int64_t start, BackwardBuffers<scalar_t>* buffers) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t points = sizes.points;
  const int64_t stride = sizes.heads * sizes.head_dim;
  const int64_t head = (b * sizes.positions * sizes.heads + m) * sizes.head_dim;
  const scalar_t* map = task.value + head;
  scalar_t* grad_map = task.grad_value + head;
  SampleLevels& levels = buffers->levels;
  SampleTaps<scalar_t>& taps = buffers->taps;
  const int64_t capacity = static_cast<int64_t>(taps.first.size());
  for (int64_t i = 0; i < capacity; ++i) {
    levels.Set(i, task.level_shapes[2 * l], task.level_shapes[2 * l + 1],
               start);
  }
  const auto width = static_cast<int32_t>(task.level_shapes[2 * l + 1]);
  scalar_t* locations = buffers->locations.data();
  scalar_t* attention = buffers->attention.data();
  scalar_t* grad_attention = buffers->grad_attention.data();
  const int64_t step = capacity / points;
  for (int64_t begin = 0; begin < sizes.queries; begin += step) {
    const int64_t queries = std::min(step, sizes.queries - begin);
    // Of query q of this run, in the units of [B, Q, M, L].
    const auto cell = [&](int64_t q) {
      return ((b * sizes.queries + begin + q) * sizes.heads + m) *
                 sizes.levels +
             l;
    };
    for (int64_t q = 0; q < queries; ++q) {
      std::copy_n(task.locations + cell(q) * points * 2, points * 2,
                  locations + q * points * 2);
      std::copy_n(task.weights + cell(q) * points, points,
                  attention + q * points);
    }
    FillTaps(levels, locations, attention, queries * points, &taps);
    for (int64_t q = 0; q < queries; ++q) {
      const scalar_t* grad =
          task.grad_output +
          ((b * sizes.queries + begin + q) * sizes.heads + m) * sizes.head_dim;
      for (int64_t i = q * points; i < (q + 1) * points; ++i) {
        scalar_t* dots = buffers->dots.data() + 4 * i;
        const int32_t inside = taps.inside[i];
        if (inside == kNoTap) {
          std::fill_n(dots, 4, scalar_t(0));
          continue;
        }
        int64_t offsets[4];
        FillOffsets(taps.first[i], width, stride, offsets);
        const scalar_t* pixels[4];
        scalar_t* grad_pixels[4];
        scalar_t weights[4];
        for (int k = 0; k < 4; ++k) {
          const bool is_inside = IsInside(inside, k);
          pixels[k] = is_inside ? map + offsets[k] : buffers->zeros.data();
          grad_pixels[k] =
              is_inside ? grad_map + offsets[k] : buffers->unused.data();
          weights[k] = taps.weights[k][i];
        }
        ScatterSample<kVectors>(grad, pixels, grad_pixels, weights,
                                sizes.head_dim, dots);
      }
    }
    FillSampleGradients(levels, taps, attention, buffers->dots.data(),
                        queries * points, locations, grad_attention);
    for (int64_t q = 0; q < queries; ++q) {
      std::copy_n(locations + q * points * 2, points * 2,
                  task.grad_locations + cell(q) * points * 2);
      std::copy_n(grad_attention + q * points, points,
                  task.grad_weights + cell(q) * points);
    }
  }
}

template <typename scalar_t>
M2F_VECTOR_TARGET void Backward(const MsDeformAttnBackwardTask<scalar_t>& task,
                                int64_t begin, int64_t end) {
  const MsDeformAttnSizes& sizes = task.sizes;
  if (sizes.points == 0) return;
  const int64_t step = std::clamp<int64_t>(kBackwardSamples / sizes.points, 1,
                                           std::max<int64_t>(sizes.queries, 1));
  BackwardBuffers<scalar_t> buffers(step * sizes.points, sizes.head_dim);
  constexpr int kVectors = 32 / kLanes<scalar_t>;
  for (int64_t part = begin; part < end; ++part) {
    const int64_t l = part % sizes.levels;
    const int64_t m = part / sizes.levels % sizes.heads;
    const int64_t b = part / sizes.levels / sizes.heads;
    int64_t start = 0;
    for (int64_t i = 0; i < l; ++i) {
      start += task.level_shapes[2 * i] * task.level_shapes[2 * i + 1];
    }
    if (sizes.head_dim == 32) {
      BackwardPart<kVectors>(task, b, m, l, start, &buffers);
    } else {
      BackwardPart<0>(task, b, m, l, start, &buffers);
    }
  }
}

}  // namespace

template <typename scalar_t>
MsDeformAttnCpuKernel<scalar_t> Kernel() {
  return {&Forward<scalar_t>, &Backward<scalar_t>};
}

template MsDeformAttnCpuKernel<float> Kernel();
template MsDeformAttnCpuKernel<double> Kernel();

}  // namespace mask2former::ops::M2F_VECTOR_NAMESPACE

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_BODY_H_
