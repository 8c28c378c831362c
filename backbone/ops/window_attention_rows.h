#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_ROWS_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_ROWS_H_

// What the forward and backward CUDA kernels share: a window and a head in
// shared memory, a row of 32 channels per position. Include only in sources of
// kernels.

#include <cuda_runtime.h>

#include <cmath>
#include <cstdint>

#include "mask2former/backbone/ops/window_tiling.h"
#include "mask2former/common/cuda/half.h"
#include "mask2former/common/cuda/host_device.h"

namespace mask2former::ops {

inline constexpr int kHeadDim = 32;
inline constexpr int kQuads = kHeadDim / 4;  // Of four channels.
// Numbers from one row to the next in shared memory: neighbouring threads that
// read four channels of neighbouring rows use different banks.
inline constexpr int kRowStride = kHeadDim + 4;
// Scores at a time. 49 keys are 7 times 7, 144 nearly 21 times.
inline constexpr int kChunk = 7;
inline constexpr float kMaskedScore = -100;
// Below any score; finite, for differences to be numbers.
inline constexpr float kLowestScore = -3e38f;
// 1 / sqrt(32)
inline constexpr float kScoreScale = 0.17677669529663687f;

// The rows that there is memory for: those behind the last are zeros.
M2F_HOST_DEVICE constexpr int WholeChunks(int positions) {
  return (positions + kChunk - 1) / kChunk * kChunk;
}

struct WindowKernelSizes {
  WindowTiling<int32_t> tiling;
  int32_t channels;   // C
  int32_t positions;  // T
};

inline WindowKernelSizes MakeKernelSizes(const WindowAttentionSizes& sizes) {
  return {WindowTiling<int32_t>(sizes), static_cast<int32_t>(sizes.channels()),
          static_cast<int32_t>(sizes.positions())};
}

// What a block has in shared memory of one window.
struct SharedWindow {
  __device__ SharedWindow(float* memory, int positions)
      : rows_a(memory),
        rows_b(rows_a + WholeChunks(positions) * kRowStride),
        pixels(reinterpret_cast<int64_t*>(rows_b +
                                          WholeChunks(positions) * kRowStride)),
        parts(reinterpret_cast<int32_t*>(pixels + positions)) {}

  static size_t Bytes(int positions) {
    return 2 * WholeChunks(positions) * kRowStride * sizeof(float) +
           positions * sizeof(int64_t) +
           WholeChunks(positions) * sizeof(int32_t);
  }

  float* rows_a;    // [whole chunks of T, kRowStride]
  float* rows_b;    // [whole chunks of T, kRowStride]
  int64_t* pixels;  // [T], as WindowTiling::Pixel()
  int32_t* parts;   // [whole chunks of T], as WindowTiling::Part()
};

// Fills pixels and parts. Behind it must be a barrier.
__device__ inline void Locate(const WindowKernelSizes& sizes,
                              const Window<int32_t>& window,
                              const SharedWindow& shared) {
  const int side = sizes.tiling.window;
  for (int p = threadIdx.x; p < sizes.positions; p += blockDim.x) {
    const int i = p / side, j = p % side;
    shared.pixels[p] = sizes.tiling.Pixel(window, i, j);
    shared.parts[p] = sizes.tiling.Part(window, i, j);
  }
  const int behind = sizes.positions + static_cast<int>(threadIdx.x);
  if (behind < WholeChunks(sizes.positions)) shared.parts[behind] = 0;
}

// Four numbers, moved by one instruction.
template <typename T>
struct alignas(4 * sizeof(T)) Quad {
  T at[4];
};

template <typename T>
__device__ float4 LoadQuad(const T* source) {
  const auto quad = *reinterpret_cast<const Quad<T>*>(source);
  return {ToFloat(quad.at[0]), ToFloat(quad.at[1]), ToFloat(quad.at[2]),
          ToFloat(quad.at[3])};
}

template <typename T>
__device__ void StoreQuad(const float4& values, T* destination) {
  *reinterpret_cast<Quad<T>*>(destination) = {
      {FromFloat<T>(values.x), FromFloat<T>(values.y), FromFloat<T>(values.z),
       FromFloat<T>(values.w)}};
}

// The channels `channel` .. + 31 of all positions, to `destination`
// [whole chunks of T, kRowStride]. Eight neighbouring threads read a row; as
// many loads as possible are under way before the first is waited for.
template <typename T>
__device__ void LoadRows(const SharedWindow& shared, int positions,
                         const RowsOf<const T>& rows, int channel,
                         float* destination) {
  constexpr int kAtOnce = 8;
  const int first = static_cast<int>(threadIdx.x % kQuads) * 4;
  const int step = static_cast<int>(blockDim.x / kQuads);
  const int count = WholeChunks(positions);
  for (int p = static_cast<int>(threadIdx.x / kQuads); p < count;
       p += kAtOnce * step) {
    float4 quads[kAtOnce];
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      quads[i] = {0, 0, 0, 0};
      if (p + i * step >= positions) continue;
      const T* const source =
          rows.At(shared.pixels[p + i * step], channel + first);
      if (source != nullptr) quads[i] = LoadQuad(source);
    }
#pragma unroll
    for (int i = 0; i < kAtOnce; ++i) {
      if (p + i * step >= count) continue;
      StoreQuad(quads[i], destination + (p + i * step) * kRowStride + first);
    }
  }
}

// The reverse.
template <typename T>
__device__ void StoreRows(const SharedWindow& shared, int positions,
                          const float* source, const RowsOf<T>& rows,
                          int channel) {
  const int first = static_cast<int>(threadIdx.x % kQuads) * 4;
  const int step = static_cast<int>(blockDim.x / kQuads);
  for (int p = static_cast<int>(threadIdx.x / kQuads); p < positions;
       p += step) {
    T* const destination = rows.At(shared.pixels[p], channel + first);
    if (destination != nullptr) {
      StoreQuad(LoadQuad(source + p * kRowStride + first), destination);
    }
  }
}

// bias[number * positions + own] for the keys (or queries) first ..
// first + kChunk - 1; minus infinity for those behind the last, which makes
// their weights 0. Loaded some time before they are needed.
template <typename T>
__device__ void LoadBias(const T* bias, int positions, int first, int own,
                         float* biases) {
#pragma unroll
  for (int c = 0; c < kChunk; ++c) {
    const int number = first + c;
    biases[c] = number < positions ? ToFloat(bias[number * positions + own])
                                   : -INFINITY;
  }
}

// A position's channels in registers.
struct Row {
  float4 quads[kQuads];

  __device__ static Row Zero() {
    Row row;
#pragma unroll
    for (int q = 0; q < kQuads; ++q) row.quads[q] = {0, 0, 0, 0};
    return row;
  }

  // From and to shared memory.
  __device__ static Row Load(const float* source) {
    Row row;
#pragma unroll
    for (int q = 0; q < kQuads; ++q) row.quads[q] = LoadQuad(source + 4 * q);
    return row;
  }
  __device__ void Store(float* destination) const {
#pragma unroll
    for (int q = 0; q < kQuads; ++q) StoreQuad(quads[q], destination + 4 * q);
  }

  __device__ void Scale(float factor) {
#pragma unroll
    for (int q = 0; q < kQuads; ++q) {
      quads[q].x *= factor;
      quads[q].y *= factor;
      quads[q].z *= factor;
      quads[q].w *= factor;
    }
  }
};

__device__ inline void AddProduct(const float4& a, const float4& b,
                                  float* sum) {
  *sum += a.x * b.x;
  *sum += a.y * b.y;
  *sum += a.z * b.z;
  *sum += a.w * b.w;
}

__device__ inline void AddScaled(const float4& quad, float factor,
                                 float4* sum) {
  sum->x += quad.x * factor;
  sum->y += quad.y * factor;
  sum->z += quad.z * factor;
  sum->w += quad.w * factor;
}

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_ROWS_H_
