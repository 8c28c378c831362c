#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_BODY_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_BODY_H_

// The kernels of ms_deform_attn_cpu_kernel.h for one set of vector
// instructions. Included only by ms_deform_attn_cpu_kernel_<set>.cc, after it
// has defined the macros of vector_body.h.
//
// Work goes head by head, level by level in the backward direction. What a head
// reads lies M * D numbers apart, which wastes most of the caches, so its
// pixels are first copied next to each other, and their gradients collected so.
// Then come runs of some hundred samples, each of which is a (query, level,
// point): first the taps of all of them, vectorised over the samples; then the
// channels of one after another, vectorised over the channels.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "mask2former/pixel_decoder/ops/bilinear_taps.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_forward_body.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_fused_body.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_run_body.h"
#include "mask2former/pixel_decoder/ops/vector_body.h"

namespace mask2former::ops::M2F_VECTOR_NAMESPACE {
namespace {

// Samples of a run.
constexpr int64_t kBackwardSamples = 256;

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

// What a part of the backward direction needs besides its run.
template <typename scalar_t>
struct BackwardBuffers {
  BackwardBuffers(int64_t samples, int64_t channels)
      : dots(4 * samples),
        grad_attention(samples),
        zeros(channels),
        unused(channels) {}

  AlignedVector<scalar_t>
      dots;  // Of the output's gradient and the four pixels.
  AlignedVector<scalar_t> grad_attention;
  AlignedVector<scalar_t> zeros;   // Read in place of pixels outside,
  AlignedVector<scalar_t> unused;  // whose gradients go here.
  AlignedVector<scalar_t> map, grad_map;
};

// From the dot products to the gradients of a run's attention and locations;
// the latter overwrite the locations.
template <typename scalar_t>
M2F_VECTOR_TARGET void FillSampleGradients(int64_t count,
                                           SampleRun<scalar_t>* run,
                                           BackwardBuffers<scalar_t>* buffers) {
  const int32_t* __restrict__ height = run->levels.height.data();
  const int32_t* __restrict__ width = run->levels.width.data();
  const int32_t* __restrict__ inside = run->inside.data();
  const scalar_t* __restrict__ run_y = run->y.data();
  const scalar_t* __restrict__ run_x = run->x.data();
  const scalar_t* __restrict__ attention = run->attention.data();
  const scalar_t* __restrict__ dots = buffers->dots.data();
  scalar_t* __restrict__ grad_attention = buffers->grad_attention.data();
  scalar_t* __restrict__ grad_locations = run->locations.data();
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const scalar_t y = run_y[i];
    const scalar_t x = run_x[i];
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

// Scatters one query's gradient over its samples begin .. end - 1, into
// `grad_map`, and fills their dots.
template <int kVectors, typename scalar_t>
M2F_VECTOR_INLINE void ScatterQuery(const SampleRun<scalar_t>& run,
                                    int64_t begin, int64_t end,
                                    const scalar_t* grad, int64_t channels,
                                    const scalar_t* map, scalar_t* grad_map,
                                    int64_t stride,
                                    BackwardBuffers<scalar_t>* buffers) {
  for (int64_t s = begin; s < end; ++s) {
    scalar_t* dots = buffers->dots.data() + 4 * s;
    const int32_t inside = run.inside[s];
    if (inside == kNoTap) {
      for (int k = 0; k < 4; ++k) dots[k] = 0;
      continue;
    }
    int64_t offsets[4];
    FillOffsets(run, s, stride, offsets);
    const scalar_t* pixels[4];
    scalar_t* grad_pixels[4];
    scalar_t weights[4];
    for (int k = 0; k < 4; ++k) {
      const bool is_inside = inside == kAllTaps || IsInside(inside, k);
      pixels[k] = is_inside ? map + offsets[k] : buffers->zeros.data();
      grad_pixels[k] =
          is_inside ? grad_map + offsets[k] : buffers->unused.data();
      weights[k] = run.weights[k][s];
    }
    ScatterSample<kVectors>(grad, pixels, grad_pixels, weights, channels, dots);
  }
}

// One part: image b, head m, level l, whose first pixel is position `start`.
template <int kVectors, typename scalar_t>
M2F_VECTOR_TARGET void BackwardPart(
    const MsDeformAttnBackwardTask<scalar_t>& task, int64_t b, int64_t m,
    int64_t l, int64_t start, BackwardBuffers<scalar_t>* buffers) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t channels = sizes.head_dim;
  const int64_t row = sizes.heads * channels;
  const int64_t size = task.level_shapes[2 * l] * task.level_shapes[2 * l + 1];
  const int64_t offset = (b * sizes.positions + start) * row + m * channels;
  SampleRun<scalar_t> run(sizes, task.level_shapes, l, l + 1, kBackwardSamples);

  // Without a copy of the values if few of them are read.
  const scalar_t* map = task.value + offset;
  scalar_t* grad_map = task.grad_value + offset;
  int64_t stride = row;
  if (sizes.heads > 1 && 2 * size <= sizes.queries * sizes.points) {
    buffers->map.resize(size * channels);
    buffers->grad_map.assign(size * channels, scalar_t(0));
    CopyRows(map, row, size, channels, buffers->map.data(), channels);
    map = buffers->map.data();
    grad_map = buffers->grad_map.data();
    stride = channels;
  } else {
    for (int64_t i = 0; i < size; ++i) {
      std::fill_n(grad_map + i * row, channels, scalar_t(0));
    }
  }

  const int64_t points = sizes.points;
  int64_t queries = 0;
  for (int64_t q = 0; q < sizes.queries; q += queries) {
    queries = std::min(run.max_queries, sizes.queries - q);
    const int64_t head = (b * sizes.queries + q) * sizes.heads + m;
    const int64_t cell = (head * sizes.levels + l) * points;
    const int64_t cells = sizes.heads * sizes.levels * points;
    FillRun(task.locations + 2 * cell, task.weights + cell, cells, queries,
            &run);
    for (int64_t i = 0; i < queries; ++i) {
      ScatterQuery<kVectors>(
          run, i * points, (i + 1) * points,
          task.grad_output + (head + i * sizes.heads) * channels, channels, map,
          grad_map, stride, buffers);
    }
    FillSampleGradients(queries * points, &run, buffers);
    CopyRows(run.locations.data(), 2 * points, queries, 2 * points,
             task.grad_locations + 2 * cell, 2 * cells);
    CopyRows(buffers->grad_attention.data(), points, queries, points,
             task.grad_weights + cell, cells);
  }
  if (stride != row) {
    CopyRows(buffers->grad_map.data(), channels, size, channels,
             task.grad_value + offset, row);
  }
}

template <typename scalar_t>
M2F_VECTOR_TARGET void Backward(const MsDeformAttnBackwardTask<scalar_t>& task,
                                int64_t begin, int64_t end) {
  const MsDeformAttnSizes& sizes = task.sizes;
  BackwardBuffers<scalar_t> buffers(std::max(kBackwardSamples, sizes.points),
                                    sizes.head_dim);
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
  return {&Forward<MsDeformAttnForwardTask<scalar_t>, scalar_t>,
          &Forward<MsDeformAttnFusedTask<scalar_t>, scalar_t>,
          &FillSamples<scalar_t>, &FinishGradients<scalar_t>,
          &Backward<scalar_t>};
}

template MsDeformAttnCpuKernel<float> Kernel();
template MsDeformAttnCpuKernel<double> Kernel();

}  // namespace mask2former::ops::M2F_VECTOR_NAMESPACE

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_BODY_H_
