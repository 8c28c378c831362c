// A block computes a window and a head, a thread two queries, whose channels
// and sums it has in registers. Keys and values are in shared memory, where all
// threads read the same one at a time; scores are never in memory: a few at a
// time, whose largest so far rescales the sums (Milakov and Gimelshein, "Online
// normalizer calculation for softmax", 2018).

#include <cuda_runtime.h>

#include "mask2former/backbone/ops/window_attention_kernel.h"
#include "mask2former/backbone/ops/window_attention_rows.h"
#include "mask2former/common/cuda/dynamic_shared_memory.h"
#include "mask2former/common/cuda/exponential.h"
#include "mask2former/common/cuda/launch.h"

namespace mask2former::ops {
namespace {

constexpr int kQueries = 2;

// Of a block, whole warps.
constexpr int Threads(int positions) {
  return (positions + kQueries * 32 - 1) / (kQueries * 32) * 32;
}
constexpr int kMaxThreads = Threads(kMaxCudaWindow * kMaxCudaWindow);

// A thread's queries and what they have gathered so far.
struct Queries {
  Row rows[kQueries];  // Divided by the root of the number of channels.
  int numbers[kQueries];
  int parts[kQueries];
  float largest[kQueries];  // Score so far.
  float sums[kQueries];     // Of exponentials of scores minus the largest.
  Row gathered[kQueries];   // Sums of values, by the same exponentials.
};

// The products of the queries with kChunk keys.
__device__ void Multiply(const Queries& queries, const float* keys,
                         float (&scores)[kQueries][kChunk]) {
#pragma unroll
  for (int c = 0; c < kChunk; ++c) {
#pragma unroll
    for (int r = 0; r < kQueries; ++r) scores[r][c] = 0;
#pragma unroll
    for (int q = 0; q < kQuads; ++q) {
      const float4 quad = LoadQuad(keys + c * kRowStride + 4 * q);
#pragma unroll
      for (int r = 0; r < kQueries; ++r) {
        AddProduct(queries.rows[r].quads[q], quad, &scores[r][c]);
      }
    }
  }
}

// Turns scores into exponentials.
__device__ void Exponentiate(float (&scores)[kQueries][kChunk],
                             Queries* queries) {
#pragma unroll
  for (int r = 0; r < kQueries; ++r) {
    float largest = queries->largest[r];
#pragma unroll
    for (int c = 0; c < kChunk; ++c) largest = max(largest, scores[r][c]);
    const float rescale = Exponential(queries->largest[r] - largest);
    queries->largest[r] = largest;
    queries->sums[r] *= rescale;
    queries->gathered[r].Scale(rescale);
#pragma unroll
    for (int c = 0; c < kChunk; ++c) {
      scores[r][c] = Exponential(scores[r][c] - largest);
      queries->sums[r] += scores[r][c];
    }
  }
}

__device__ void Gather(const float (&exponentials)[kQueries][kChunk],
                       const float* values, Queries* queries) {
#pragma unroll
  for (int c = 0; c < kChunk; ++c) {
#pragma unroll
    for (int q = 0; q < kQuads; ++q) {
      const float4 quad = LoadQuad(values + c * kRowStride + 4 * q);
#pragma unroll
      for (int r = 0; r < kQueries; ++r) {
        AddScaled(quad, exponentials[r][c], &queries->gathered[r].quads[q]);
      }
    }
  }
}

template <typename T>
__global__ void __launch_bounds__(kMaxThreads)
    ForwardKernel(WindowKernelSizes sizes, WindowAttentionInput<T> input,
                  T* __restrict__ output) {
  const int positions = sizes.positions;
  const SharedWindow shared(DynamicSharedMemory<float>(), positions);
  const Window<int32_t> window =
      sizes.tiling.At(static_cast<int32_t>(blockIdx.x));
  const int head = static_cast<int>(blockIdx.y);
  const int channel = head * kHeadDim;
  const RowsOf<const T> qkv = {input.qkv, input.padding, 3 * sizes.channels};
  const T* const bias =
      input.bias_by_key + int64_t{head} * positions * positions;
  const bool has_parts = sizes.tiling.HasParts(window);

  Locate(sizes, window, shared);
  __syncthreads();
  LoadRows(shared, positions, qkv, channel, shared.rows_a);
  __syncthreads();
  Queries queries;
#pragma unroll
  for (int r = 0; r < kQueries; ++r) {
    // Threads without a query of their own repeat the last one.
    const int number =
        min(static_cast<int>(threadIdx.x + r * blockDim.x), positions - 1);
    queries.numbers[r] = number;
    queries.parts[r] = shared.parts[number];
    queries.rows[r] = Row::Load(shared.rows_a + number * kRowStride);
    queries.rows[r].Scale(kScoreScale);
    queries.largest[r] = kLowestScore;
    queries.sums[r] = 0;
    queries.gathered[r] = Row::Zero();
  }
  __syncthreads();
  LoadRows(shared, positions, qkv, sizes.channels + channel, shared.rows_a);
  LoadRows(shared, positions, qkv, 2 * sizes.channels + channel, shared.rows_b);
  __syncthreads();

  for (int first = 0; first < positions; first += kChunk) {
    float biases[kQueries][kChunk], scores[kQueries][kChunk];
#pragma unroll
    for (int r = 0; r < kQueries; ++r) {
      LoadBias(bias, positions, first, queries.numbers[r], biases[r]);
    }
    Multiply(queries, shared.rows_a + first * kRowStride, scores);
#pragma unroll
    for (int c = 0; c < kChunk; ++c) {
      const int part = has_parts ? shared.parts[first + c] : 0;
#pragma unroll
      for (int r = 0; r < kQueries; ++r) {
        scores[r][c] += biases[r][c];
        if (has_parts && part != queries.parts[r]) scores[r][c] += kMaskedScore;
      }
    }
    Exponentiate(scores, &queries);
    Gather(scores, shared.rows_b + first * kRowStride, &queries);
  }

  __syncthreads();
#pragma unroll
  for (int r = 0; r < kQueries; ++r) {
    const int number = static_cast<int>(threadIdx.x + r * blockDim.x);
    if (number >= positions) break;
    queries.gathered[r].Scale(Reciprocal(queries.sums[r]));
    queries.gathered[r].Store(shared.rows_a + number * kRowStride);
  }
  __syncthreads();
  StoreRows(shared, positions, shared.rows_a,
            RowsOf<T>{output, nullptr, sizes.channels}, channel);
}

}  // namespace

template <typename T>
cudaError_t LaunchWindowAttention(const WindowAttentionSizes& sizes,
                                  const WindowAttentionInput<T>& input,
                                  T* output, cudaStream_t stream) {
  if (!CudaKernelTakes(sizes)) return cudaErrorInvalidValue;
  if (sizes.windows() == 0) return cudaSuccess;
  const int positions = static_cast<int>(sizes.positions());
  const dim3 grid(static_cast<unsigned>(sizes.windows()),
                  static_cast<unsigned>(sizes.heads));
  return LaunchKernel(ForwardKernel<T>, grid, Threads(positions),
                      SharedWindow::Bytes(positions), stream,
                      MakeKernelSizes(sizes), input, output);
}

#define M2F_INSTANTIATE(T)                                                   \
  template cudaError_t LaunchWindowAttention(const WindowAttentionSizes&,    \
                                             const WindowAttentionInput<T>&, \
                                             T*, cudaStream_t);
M2F_INSTANTIATE(float)
M2F_INSTANTIATE(Float16)
M2F_INSTANTIATE(BFloat16)
#undef M2F_INSTANTIATE

}  // namespace mask2former::ops
