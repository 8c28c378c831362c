#include <cuda_runtime.h>

#include <cstdint>

#include "mask2former/common/cuda/dynamic_shared_memory.h"
#include "mask2former/common/cuda/half.h"
#include "mask2former/common/cuda/launch.h"
#include "mask2former/tools/cuda_emulation/sample_kernel.h"

namespace mask2former {
namespace {

constexpr int kLanes = 32;
constexpr unsigned kAllLanes = 0xffffffff;
constexpr int kTile = 16;
constexpr int kHistogramThreads = 64;

template <typename T>
__global__ void __launch_bounds__(kBlockSumThreads)
    BlockSumKernel(const T* __restrict__ input, int64_t count,
                   T* __restrict__ sums) {
  __shared__ T warp_sums[kBlockSumThreads / kLanes];
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  T value = i < count ? input[i] : T(0);
#pragma unroll
  for (int step = 16; step > 0; step /= 2) {
    value += __shfl_down_sync(kAllLanes, value, step);
  }
  if (threadIdx.x % kLanes == 0) warp_sums[threadIdx.x / kLanes] = value;
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int w = 1; w < kBlockSumThreads / kLanes; ++w) value += warp_sums[w];
    sums[blockIdx.x] = value;
  }
}

__global__ void TransposeKernel(const float* __restrict__ input, int rows,
                                int columns, float* __restrict__ output) {
  float* const tile = DynamicSharedMemory<float>();  // [kTile, kTile + 1]
  const int x = blockIdx.x * kTile + threadIdx.x;
  const int y = blockIdx.y * kTile + threadIdx.y;
  if (x < columns && y < rows) {
    tile[threadIdx.y * (kTile + 1) + threadIdx.x] = input[y * columns + x];
  }
  __syncthreads();
  const int row = blockIdx.x * kTile + threadIdx.y;
  const int column = blockIdx.y * kTile + threadIdx.x;
  if (row < columns && column < rows) {
    output[row * rows + column] = tile[threadIdx.x * (kTile + 1) + threadIdx.y];
  }
}

__global__ void HistogramKernel(const int* __restrict__ values, int count,
                                int* __restrict__ histogram) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  const unsigned present = __ballot_sync(kAllLanes, i < count);
  if (i >= count) return;
  const int value = __ldg(values + i);
  const unsigned same = __match_any_sync(present, value);
  if (__ffs(same) - 1 == static_cast<int>(threadIdx.x % kLanes)) {
    atomicAdd(histogram + value, __popc(same));
  }
}

template <typename Short>
__global__ void RoundKernel(const float* __restrict__ x, int count,
                            float* __restrict__ output) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= count) return;
  // A float holds the product exactly.
  const float product =
      ToFloat(FromFloat<Short>(x[i])) * ToFloat(FromFloat<Short>(1.f / 3));
  output[i] = ToFloat(FromFloat<Short>(product));
}

__global__ void IndicesKernel(int* __restrict__ output) {
  const int block =
      (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const int thread =
      (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  output[block * (blockDim.x * blockDim.y * blockDim.z) + thread] =
      blockIdx.z * 100000 + blockIdx.y * 10000 + blockIdx.x * 1000 +
      threadIdx.z * 100 + threadIdx.y * 10 + threadIdx.x;
}

}  // namespace

template <typename T>
cudaError_t LaunchBlockSum(const T* input, int64_t count, T* sums,
                           cudaStream_t stream) {
  if (count == 0) return cudaSuccess;
  return LaunchKernel(
      BlockSumKernel<T>,
      static_cast<unsigned>((count + kBlockSumThreads - 1) / kBlockSumThreads),
      kBlockSumThreads, 0, stream, input, count, sums);
}

template cudaError_t LaunchBlockSum(const float*, int64_t, float*,
                                    cudaStream_t);
template cudaError_t LaunchBlockSum(const double*, int64_t, double*,
                                    cudaStream_t);
template cudaError_t LaunchBlockSum(const int64_t*, int64_t, int64_t*,
                                    cudaStream_t);

cudaError_t LaunchTranspose(const float* input, int rows, int columns,
                            float* output, cudaStream_t stream) {
  const dim3 grid((columns + kTile - 1) / kTile, (rows + kTile - 1) / kTile);
  return LaunchKernel(TransposeKernel, grid, dim3(kTile, kTile),
                      sizeof(float) * kTile * (kTile + 1), stream, input, rows,
                      columns, output);
}

cudaError_t LaunchHistogram(const int* values, int count, int* histogram,
                            cudaStream_t stream) {
  if (count == 0) return cudaSuccess;
  return LaunchKernel(HistogramKernel,
                      (count + kHistogramThreads - 1) / kHistogramThreads,
                      kHistogramThreads, 0, stream, values, count, histogram);
}

template <typename Short>
cudaError_t LaunchRound(const float* x, int count, float* output,
                        cudaStream_t stream) {
  if (count == 0) return cudaSuccess;
  return LaunchKernel(RoundKernel<Short>, (count + 127) / 128, 128, 0, stream,
                      x, count, output);
}

template cudaError_t LaunchRound<Float16>(const float*, int, float*,
                                          cudaStream_t);
template cudaError_t LaunchRound<BFloat16>(const float*, int, float*,
                                           cudaStream_t);

cudaError_t LaunchIndices(int* output, cudaStream_t stream) {
  return LaunchKernel(IndicesKernel, dim3(2, 3, 2), dim3(4, 3, 2), 0, stream,
                      output);
}

}  // namespace mask2former
