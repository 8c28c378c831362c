#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_CPU_KERNEL_BODY_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_CPU_KERNEL_BODY_H_

// Window attention for one set of vector instructions. Include only in sources
// that define first
//
//   M2F_VECTOR_NAMESPACE  one of window_attention_cpu_kernel.h
//   M2F_VECTOR_BYTES      the size of a vector register: 16, 32 or 64
//   M2F_VECTOR_TARGET     the function attribute that allows the instructions
//
// For a window and a head, the keys are laid out [D, T] so that a vector holds
// scores of one query with neighbouring keys. A few queries at a time: scores
// in registers, starting from the position bias; softmax; weighted sum of the
// values, which are read where they lie. Nothing as large as the map is written
// but the result.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "mask2former/backbone/ops/window_attention_cpu_kernel.h"
#include "mask2former/backbone/ops/window_tiling.h"

#define M2F_VECTOR_INLINE \
  M2F_VECTOR_TARGET __attribute__((always_inline)) inline

namespace mask2former::ops::M2F_VECTOR_NAMESPACE {
namespace {

// Arithmetic works element by element.
typedef float Vector __attribute__((vector_size(M2F_VECTOR_BYTES)));
typedef int32_t IntVector __attribute__((vector_size(M2F_VECTOR_BYTES)));

constexpr int64_t kLanes = M2F_VECTOR_BYTES / sizeof(float);
// Queries at a time: with four vectors of keys, three quarters of the
// registers.
constexpr int64_t kRows = M2F_VECTOR_BYTES == 64 ? 6 : 3;
constexpr float kMasked = -100;

M2F_VECTOR_INLINE Vector Load(const float* source) {
  Vector vector;
  std::memcpy(&vector, source, sizeof(vector));
  return vector;
}

M2F_VECTOR_INLINE void Store(const Vector& vector, float* destination) {
  std::memcpy(destination, &vector, sizeof(vector));
}

M2F_VECTOR_INLINE Vector Larger(const Vector& a, const Vector& b) {
  return a > b ? a : b;
}

// e^x for x <= 0, within 2 units in the last place; 0 below the smallest normal
// number.
M2F_VECTOR_INLINE Vector Exp(const Vector& x) {
  constexpr float kLog2E = 1.44269504f;
  // Adding it rounds to the nearest integer, which is then in the last bits.
  constexpr float kRound = 12582912.f;  // 1.5 * 2^23
  // ln 2 in two parts: products of the first with small integers are exact.
  constexpr float kLn2 = 0.693359375f, kLn2Rest = -2.12194440e-4f;
  const Vector zero = {};
  const Vector shifted = x * kLog2E + kRound;
  const Vector n = shifted - kRound;
  const Vector r = (x - n * kLn2) - n * kLn2Rest;
  // Of the series, fitted to |r| <= ln 2 / 2 (Cephes, expf).
  Vector p = zero + 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.f;
  IntVector bits;
  std::memcpy(&bits, &shifted, sizeof(bits));
  // Times 2^n: the rounding constant has 0x4b400000 for n = 0.
  bits = (bits - 0x4b400000 + 127) << 23;
  Vector power;
  std::memcpy(&power, &bits, sizeof(power));
  return x < -87.f ? zero : p * power;
}

// Memory of one thread.
struct Scratch {
  explicit Scratch(const WindowAttentionSizes& sizes)
      : stride(PaddedPositions(sizes)),
        rows(sizes.positions()),
        outputs(sizes.positions()),
        labels(stride),
        keys(sizes.head_dim * stride),
        weights(kRows * stride) {}

  const int64_t stride;            // Of a row of scores.
  std::vector<const float*> rows;  // Each position's queries.
  std::vector<float*> outputs;     // Null outside the map.
  std::vector<float> labels;       // Of the part of the map.
  std::vector<float> keys;         // [D, stride], times 1 / sqrt D.
  std::vector<float> weights;      // [kRows, stride]
};

// scores[r][first .. first + N lanes) for kRows queries.
template <int N>
M2F_VECTOR_INLINE void Scores(const float* const* queries, int64_t head_dim,
                              const float* keys, const float* bias,
                              int64_t stride, float* scores) {
  Vector sums[kRows][N];
  for (int64_t r = 0; r < kRows; ++r) {
    for (int v = 0; v < N; ++v) {
      sums[r][v] = Load(bias + r * stride + v * kLanes);
    }
  }
  for (int64_t d = 0; d < head_dim; ++d) {
    Vector key[N];
    for (int v = 0; v < N; ++v) key[v] = Load(keys + d * stride + v * kLanes);
    for (int64_t r = 0; r < kRows; ++r) {
      const float query = queries[r][d];
      for (int v = 0; v < N; ++v) sums[r][v] += key[v] * query;
    }
  }
  for (int64_t r = 0; r < kRows; ++r) {
    for (int v = 0; v < N; ++v) {
      Store(sums[r][v], scores + r * stride + v * kLanes);
    }
  }
}

// All keys, in the evenest parts of at most four vectors.
M2F_VECTOR_TARGET void AllScores(const float* const* queries, int64_t head_dim,
                                 const float* keys, const float* bias,
                                 int64_t stride, float* scores) {
  for (int64_t begin = 0; begin < stride;) {
    const int64_t left = (stride - begin) / kLanes;
    const int64_t parts = (left + 3) / 4;
    const int64_t count = (left + parts - 1) / parts;
    switch (count) {
      case 1:
        Scores<1>(queries, head_dim, keys + begin, bias + begin, stride,
                  scores + begin);
        break;
      case 2:
        Scores<2>(queries, head_dim, keys + begin, bias + begin, stride,
                  scores + begin);
        break;
      case 3:
        Scores<3>(queries, head_dim, keys + begin, bias + begin, stride,
                  scores + begin);
        break;
      default:
        Scores<4>(queries, head_dim, keys + begin, bias + begin, stride,
                  scores + begin);
        break;
    }
    begin += count * kLanes;
  }
}

// Turns a row of scores into weights that still have to be divided by the sum
// that it returns.
M2F_VECTOR_INLINE float Softmax(float* scores, int64_t stride) {
  Vector largest = Load(scores);
  for (int64_t i = kLanes; i < stride; i += kLanes) {
    largest = Larger(largest, Load(scores + i));
  }
  float maximum = largest[0];
  for (int64_t i = 1; i < kLanes; ++i) {
    if (largest[i] > maximum) maximum = largest[i];
  }
  Vector sums = {};
  for (int64_t i = 0; i < stride; i += kLanes) {
    const Vector weight = Exp(Load(scores + i) - maximum);
    Store(weight, scores + i);
    sums += weight;
  }
  float sum = 0;
  for (int64_t i = 0; i < kLanes; ++i) sum += sums[i];
  return sum;
}

// Weighted sums of the values of kRows queries, `values` numbers behind the
// queries.
M2F_VECTOR_INLINE void Gather(const Scratch& scratch, int64_t values,
                              int64_t head_dim, int64_t first_row,
                              const float* inverse_sums, int64_t channel) {
  const int64_t positions = static_cast<int64_t>(scratch.rows.size());
  for (int64_t d = 0; d < head_dim; d += 2 * kLanes) {
    Vector sums[kRows][2] = {};
    for (int64_t j = 0; j < positions; ++j) {
      const float* const value = scratch.rows[j] + values + d;
      const Vector low = Load(value), high = Load(value + kLanes);
      for (int64_t r = 0; r < kRows; ++r) {
        const float weight = scratch.weights[r * scratch.stride + j];
        sums[r][0] += low * weight;
        sums[r][1] += high * weight;
      }
    }
    for (int64_t r = 0; r < kRows; ++r) {
      float* const output = scratch.outputs[first_row + r];
      if (output == nullptr) continue;
      Store(sums[r][0] * inverse_sums[r], output + channel + d);
      Store(sums[r][1] * inverse_sums[r], output + channel + d + kLanes);
    }
  }
}

// Fills rows, outputs and labels; returns whether the labels differ.
bool Locate(const WindowAttentionTask& task, int64_t index, Scratch& scratch) {
  const WindowAttentionSizes& sizes = task.sizes;
  const WindowTiling<int64_t> tiling(sizes);
  const Window<int64_t> window = tiling.At(index);
  for (int64_t i = 0; i < sizes.window; ++i) {
    for (int64_t j = 0; j < sizes.window; ++j) {
      const int64_t position = i * sizes.window + j;
      const int64_t pixel = tiling.Pixel(window, i, j);
      const bool inside = pixel >= 0;
      scratch.rows[position] =
          inside ? task.qkv + pixel * 3 * sizes.channels() : task.padding;
      scratch.outputs[position] =
          inside ? task.output + pixel * sizes.channels() : nullptr;
      scratch.labels[position] = static_cast<float>(tiling.Part(window, i, j));
    }
  }
  return tiling.HasParts(window);
}

M2F_VECTOR_TARGET void RunHead(const WindowAttentionTask& task, int64_t head,
                               bool masked, Scratch& scratch) {
  const WindowAttentionSizes& sizes = task.sizes;
  const int64_t positions = sizes.positions(), head_dim = sizes.head_dim;
  const int64_t stride = scratch.stride;
  const int64_t channel = head * head_dim;
  const int64_t keys = sizes.channels() + channel;
  const int64_t values = 2 * sizes.channels() + channel;
  const float scale = 1 / std::sqrt(static_cast<float>(head_dim));
  for (int64_t j = 0; j < positions; ++j) {
    const float* const key = scratch.rows[j] + keys;
    for (int64_t d = 0; d < head_dim; ++d) {
      scratch.keys[d * stride + j] = key[d] * scale;
    }
  }
  const float* const bias = task.position_bias + head * positions * stride;
  float* const weights = scratch.weights.data();
  for (int64_t begin = 0; begin < positions; begin += kRows) {
    // The last rows overlap with those before.
    const int64_t first = std::min(begin, positions - kRows);
    const float* queries[kRows];
    for (int64_t r = 0; r < kRows; ++r) {
      queries[r] = scratch.rows[first + r] + channel;
    }
    AllScores(queries, head_dim, scratch.keys.data(), bias + first * stride,
              stride, weights);
    float inverse_sums[kRows];
    for (int64_t r = 0; r < kRows; ++r) {
      float* const row = weights + r * stride;
      if (masked) {
        const float label = scratch.labels[first + r];
        const Vector zero = {};
        for (int64_t i = 0; i < stride; i += kLanes) {
          const Vector score = Load(row + i);
          Store(score +
                    (Load(&scratch.labels[i]) == label ? zero : zero + kMasked),
                row + i);
        }
      }
      inverse_sums[r] = 1 / Softmax(row, stride);
    }
    Gather(scratch, values, head_dim, first, inverse_sums, channel);
  }
}

}  // namespace

void Run(const WindowAttentionTask& task, int64_t begin, int64_t end) {
  Scratch scratch(task.sizes);
  for (int64_t index = begin; index < end; ++index) {
    const bool masked = Locate(task, index, scratch);
    for (int64_t head = 0; head < task.sizes.heads; ++head) {
      RunHead(task, head, masked, scratch);
    }
  }
}

}  // namespace mask2former::ops::M2F_VECTOR_NAMESPACE

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_CPU_KERNEL_BODY_H_
