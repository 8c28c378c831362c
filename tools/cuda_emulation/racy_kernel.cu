#include <cuda_runtime.h>

#include "mask2former/common/cuda/launch.h"
#include "mask2former/tools/cuda_emulation/racy_kernel.h"

namespace mask2former {
namespace {

__global__ void SumKernel(int* values, bool atomic) {
  if (atomic) {
    atomicAdd(values, 1);
  } else {
    values[0] += 1;
  }
}

__global__ void NeighbourKernel(int* values, int distance, Order order) {
  __shared__ int shared[64];
  const int i = threadIdx.x;
  shared[i] = i;
  if (order == Order::kShuffle) __shfl_sync(0xffffffff, i, 0);
  if (order == Order::kWarp) __syncwarp();
  if (order == Order::kBlock) __syncthreads();
  values[i] = shared[i ^ distance];
}

__global__ void HalfWordsKernel(int* values) {
  reinterpret_cast<short*>(values)[threadIdx.x] =
      static_cast<short>(threadIdx.x);
}

}  // namespace

cudaError_t LaunchSum(int* values, int blocks, int threads, bool atomic) {
  return LaunchKernel(SumKernel, blocks, threads, 0, nullptr, values, atomic);
}

cudaError_t LaunchNeighbour(int* values, int distance, Order order) {
  return LaunchKernel(NeighbourKernel, 1, 64, 0, nullptr, values, distance,
                      order);
}

cudaError_t LaunchHalfWords(int* values) {
  return LaunchKernel(HalfWordsKernel, 1, 128, 0, nullptr, values);
}

}  // namespace mask2former
