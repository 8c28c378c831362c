#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_FUSED_BODY_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_FUSED_BODY_H_

// From reference points, offsets and logits to locations and weights, and back
// with gradients; see ms_deform_attn_cpu_kernel_body.h. Include only in sources
// that have defined the macros of vector_body.h.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_padded_body.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_run_body.h"
#include "mask2former/pixel_decoder/ops/vector_body.h"

namespace mask2former::ops::M2F_VECTOR_NAMESPACE {
namespace {

// The exponential function for x <= 0, to within 2 units in the last place;
// free of branches and calls, so that loops become vector instructions. 0 below
// -87, where floats end; NaN stays NaN.
//
// x = n log 2 + r with |r| <= log(2) / 2; the polynomial is exp(r)'s Taylor sum
// to the seventh power, whose rest is below 2^-27.
M2F_VECTOR_INLINE float Exponential(float x) {
  constexpr float kRoundsToInteger = 12582912.0f;  // 1.5 * 2^23
  const float limited = x < -87.0f ? -87.0f : x;
  const float shifted = limited * 1.44269504f + kRoundsToInteger;
  const float n = shifted - kRoundsToInteger;
  const float r = (limited - n * 0.693359375f) + n * 2.12194440e-4f;
  float sum = 1.0f / 5040;
  sum = sum * r + 1.0f / 720;
  sum = sum * r + 1.0f / 120;
  sum = sum * r + 1.0f / 24;
  sum = sum * r + 1.0f / 6;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  uint32_t bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  bits = (bits << 23) + 0x3f800000u;  // 2^n
  float power;
  std::memcpy(&power, &bits, sizeof(power));
  return x < -87.0f ? 0.0f : sum * power;
}

M2F_VECTOR_INLINE double Exponential(double x) { return std::exp(x); }

// weights [rows, count] = the softmax of every row of logits, whose rows start
// `stride` numbers apart. `columns` has room for (count + 1) * rows numbers.
//
// Goes along columns, for rows are short and no whole number of vectors.
template <typename scalar_t>
M2F_VECTOR_TARGET void Softmax(const scalar_t* logits, int64_t stride,
                               int64_t rows, int64_t count,
                               scalar_t* columns_in, scalar_t* weights) {
  scalar_t* __restrict__ columns = columns_in;
  scalar_t* __restrict__ scale = columns_in + count * rows;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < count; ++j) {
      columns[j * rows + i] = logits[i * stride + j];
    }
  }
#pragma omp simd
  for (int64_t i = 0; i < rows; ++i) scale[i] = columns[i];
  for (int64_t j = 1; j < count; ++j) {
    const scalar_t* const column = columns + j * rows;
#pragma omp simd
    for (int64_t i = 0; i < rows; ++i) {
      scale[i] = column[i] > scale[i] ? column[i] : scale[i];
    }
  }
  for (int64_t j = 0; j < count; ++j) {
    scalar_t* __restrict__ column = columns + j * rows;
#pragma omp simd
    for (int64_t i = 0; i < rows; ++i) {
      column[i] = Exponential(column[i] - scale[i]);
    }
  }
#pragma omp simd
  for (int64_t i = 0; i < rows; ++i) scale[i] = 0;
  for (int64_t j = 0; j < count; ++j) {
    const scalar_t* const column = columns + j * rows;
#pragma omp simd
    for (int64_t i = 0; i < rows; ++i) scale[i] += column[i];
  }
#pragma omp simd
  for (int64_t i = 0; i < rows; ++i) scale[i] = 1 / scale[i];
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < count; ++j) {
      weights[i * count + j] = columns[j * rows + i] * scale[i];
    }
  }
}

// Fills the run with `queries` queries of image b from q on, for head m.
template <typename Run, typename scalar_t>
M2F_VECTOR_TARGET void FillRun(const MsDeformAttnFusedTask<scalar_t>& task,
                               int64_t b, int64_t q, int64_t m, int64_t queries,
                               Run* run) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t count = run->per_query;
  if (count == 0) return;
  const int64_t stride = sizes.heads * count;
  const int64_t first = ((b * sizes.queries + q) * sizes.heads + m) * count;
  const scalar_t* offsets = task.offsets + 2 * first;
  const scalar_t* centres =
      task.centres +
      ((task.centre_batch == 1 ? 0 : b) * sizes.queries + q) * 2 * count;
  scalar_t* locations = run->locations.data();
  for (int64_t i = 0; i < queries; ++i) {
#pragma omp simd
    for (int64_t j = 0; j < 2 * count; ++j) {
      locations[j] = centres[j] + offsets[j];
    }
    offsets += 2 * stride;
    centres += 2 * count;
    locations += 2 * count;
  }
  run->columns.resize((count + 1) * queries);
  Softmax(task.logits + first, stride, queries, count, run->columns.data(),
          run->attention.data());
  FillTaps</*kPixels=*/true>(queries * count, run);
}

// 1 / (W, H) of each of a cell's samples.
template <typename scalar_t>
std::vector<scalar_t> PixelSizes(const MsDeformAttnSizes& sizes,
                                 const int64_t* level_shapes) {
  std::vector<scalar_t> result;
  for (int64_t l = 0; l < sizes.levels; ++l) {
    for (int64_t p = 0; p < sizes.points; ++p) {
      result.push_back(1 / static_cast<scalar_t>(level_shapes[2 * l + 1]));
      result.push_back(1 / static_cast<scalar_t>(level_shapes[2 * l]));
    }
  }
  return result;
}

template <typename scalar_t>
M2F_VECTOR_TARGET void FillSamples(
    const MsDeformAttnFusedGradientTask<scalar_t>& task, int64_t begin,
    int64_t end) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t count = sizes.levels * sizes.points;
  if (count == 0) return;
  const std::vector<scalar_t> pixel_sizes =
      PixelSizes<scalar_t>(sizes, task.level_shapes);
  const scalar_t* __restrict__ pixel = pixel_sizes.data();
  std::vector<scalar_t> columns((count + 1) * sizes.heads);
  for (int64_t i = begin; i < end; ++i) {
    const int64_t first = i * sizes.heads * count;
    const scalar_t* centres =
        task.centres +
        (task.centre_batch == 1 ? i % sizes.queries : i) * 2 * count;
    for (int64_t m = 0; m < sizes.heads; ++m) {
      const scalar_t* offsets = task.offsets + 2 * (first + m * count);
      scalar_t* __restrict__ locations =
          task.locations + 2 * (first + m * count);
#pragma omp simd
      for (int64_t j = 0; j < 2 * count; ++j) {
        locations[j] = (centres[j] + offsets[j] + scalar_t(0.5)) * pixel[j];
      }
    }
    Softmax(task.logits + first, count, sizes.heads, count, columns.data(),
            task.weights + first);
  }
}

template <typename scalar_t>
M2F_VECTOR_TARGET void FinishGradients(
    const MsDeformAttnFusedGradientTask<scalar_t>& task, int64_t begin,
    int64_t end) {
  const MsDeformAttnSizes& sizes = task.sizes;
  const int64_t count = sizes.levels * sizes.points;
  const std::vector<scalar_t> pixel_sizes =
      PixelSizes<scalar_t>(sizes, task.level_shapes);
  const scalar_t* __restrict__ pixel = pixel_sizes.data();
  for (int64_t cell = begin * sizes.heads; cell < end * sizes.heads; ++cell) {
    scalar_t* __restrict__ grad_offsets = task.grad_offsets + 2 * cell * count;
#pragma omp simd
    for (int64_t j = 0; j < 2 * count; ++j) grad_offsets[j] *= pixel[j];
    const scalar_t* __restrict__ weights = task.weights + cell * count;
    scalar_t* __restrict__ grad_logits = task.grad_logits + cell * count;
    scalar_t mean = 0;
    for (int64_t j = 0; j < count; ++j) mean += weights[j] * grad_logits[j];
#pragma omp simd
    for (int64_t j = 0; j < count; ++j) {
      grad_logits[j] = weights[j] * (grad_logits[j] - mean);
    }
  }
}

}  // namespace
}  // namespace mask2former::ops::M2F_VECTOR_NAMESPACE

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_FUSED_BODY_H_
