// What the emulation reports, and that it hides no mistake. What kernels
// compute is sample_kernel_test's.

#include <cuda_runtime.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "mask2former/common/cuda/dynamic_shared_memory.h"
#include "mask2former/common/cuda/launch.h"
#include "mask2former/common/testing/device_buffer.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsNan;

constexpr unsigned kAll = 0xffffffff;

// Launches one kernel that should fail; the report.
template <typename... Parameters, typename... Arguments>
std::string Failure(void (*kernel)(Parameters...), dim3 grid, dim3 block,
                    Arguments... arguments) {
  EXPECT_EQ(LaunchKernel(kernel, grid, block, 0, nullptr, arguments...),
            cudaErrorLaunchFailure);
  EXPECT_EQ(cudaGetLastError(), cudaErrorLaunchFailure);
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  return cudaGetErrorString(cudaErrorLaunchFailure);
}

__global__ void EarlyReturn() {
  if (threadIdx.x >= 40) return;
  __syncthreads();
}

TEST(DivergenceTest, ReportsABarrierThatSomeThreadsNeverReach) {
  EXPECT_THAT(
      Failure(EarlyReturn, dim3(2, 3), 64),
      AllOf(HasSubstr("EarlyReturn, block ("),
            HasSubstr("thread (0, 0, 0) and 39 more: waits in __syncthreads "
                      "at tools/cuda_emulation/emulation_test.cc:"),
            HasSubstr("in EarlyReturn"),
            HasSubstr("thread (40, 0, 0) and 23 more: returned")));
}

__global__ void TwoBarriers() {
  if (threadIdx.y == 0) {
    __syncthreads();
  } else {
    __syncthreads();
  }
}

TEST(DivergenceTest, ReportsABarrierReachedFromTwoLines) {
  EXPECT_THAT(Failure(TwoBarriers, 1, dim3(32, 2)),
              HasSubstr("waits in __syncthreads at"));
}

// The same line of two files.
inline __device__ void WaitIn(const char* file) {
  __syncthreads({"WaitIn", file, 7});
}

__global__ void TwoFiles() { WaitIn(threadIdx.y == 0 ? "a.h" : "b.h"); }

TEST(DivergenceTest, ReportsABarrierReachedFromTwoFiles) {
  EXPECT_THAT(
      Failure(TwoFiles, 1, dim3(32, 2)),
      AllOf(HasSubstr("waits in __syncthreads at"),
            HasSubstr("a.h:7 in WaitIn"), HasSubstr("b.h:7 in WaitIn")));
}

TEST(MemsetTest, ZeroesHugeArraysToTheLastByte) {
  constexpr size_t kBytes = (size_t{1} << 30) + 8192;
  void* const memory = mmap(nullptr, kBytes + 8192, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  char* const begin = static_cast<char*>(memory) + 4096 + 100;
  // Either side of both ends, and of the pages within.
  const std::vector<size_t> inside = {
      0, 1, 3995, 3996, kBytes / 2, kBytes - 101, kBytes - 100, kBytes - 1};
  for (const size_t i : inside) begin[i] = 5;
  begin[-1] = begin[kBytes] = 6;
  M2F_EXPECT_CUDA_SUCCESS(cudaMemsetAsync(begin, 0, kBytes, nullptr));
  for (const size_t i : inside) EXPECT_EQ(begin[i], 0) << i;
  EXPECT_EQ(begin[-1], 6);
  EXPECT_EQ(begin[kBytes], 6);
  munmap(memory, kBytes + 8192);
}

__global__ void ShuffleAfterReturn(int* output) {
  if (threadIdx.x == 7) return;
  output[threadIdx.x] = __shfl_xor_sync(kAll, 1, 1);
}

TEST(DivergenceTest, ReportsAShuffleWhoseMaskNamesALaneThatReturned) {
  DeviceBuffer<int> output(32);
  EXPECT_THAT(
      Failure(ShuffleAfterReturn, 1, 32, output.data()),
      AllOf(HasSubstr("thread (0, 0, 0) and 30 more: waits in __shfl_xor_sync"),
            HasSubstr("for the lanes 0xffffffff"),
            HasSubstr("thread (7, 0, 0): returned")));
}

__global__ void BarrierAndShuffle() {
  if (threadIdx.x < 16) {
    __syncthreads();
  } else {
    __syncwarp();
  }
}

TEST(DivergenceTest, ReportsThreadsThatWaitForEachOther) {
  EXPECT_THAT(Failure(BarrierAndShuffle, 1, 32),
              AllOf(HasSubstr("15 more: waits in __syncthreads"),
                    HasSubstr("15 more: waits in __syncwarp")));
}

__global__ void ForeignMask() { __syncwarp(threadIdx.x == 3 ? 0xf0 : 0x0f); }

TEST(DivergenceTest, ReportsAMaskWithoutTheLaneItself) {
  EXPECT_THAT(Failure(ForeignMask, 1, 4), HasSubstr("mask 0x000000"));
}

__global__ void FullMask() { __syncwarp(); }

TEST(DivergenceTest, ReportsLanesThatDoNotExist) {
  EXPECT_THAT(
      Failure(FullMask, 1, 40),
      HasSubstr("mask 0xffffffff, but its warp has only the lanes 0x000000ff"));
}

template <typename T>
__global__ void Halves(T* output) {
  const bool low = threadIdx.x % 32 < 16;
  const unsigned mask = low ? 0x0000ffff : 0xffff0000;
  T value = static_cast<T>(threadIdx.x);
  if (low) {
    value = __shfl_sync(mask, value, 3);
  } else {
    __syncwarp(mask);
    value = __shfl_sync(mask, value, 17);
  }
  output[threadIdx.x] = value;
}

TEST(DivergenceTest, LetsHalvesOfAWarpGoTheirWays) {
  DeviceBuffer<double> output(64);
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchKernel(Halves<double>, 1, 64, 0, nullptr, output.data()));
  const std::vector<double> values = output.ToHost();
  for (int i = 0; i < 64; ++i) {
    EXPECT_EQ(values[i], i / 32 * 32 + (i % 32 < 16 ? 3 : 17)) << i;
  }
}

TEST(LaunchTest, HasAGpusLimits) {
  const auto launch = [](dim3 grid, dim3 block, size_t shared = 0) {
    const cudaError_t error =
        LaunchKernel(FullMask, grid, block, shared, nullptr);
    EXPECT_EQ(cudaGetLastError(), error);
    return error;
  };
  EXPECT_EQ(launch(1, 1024), cudaSuccess);
  EXPECT_EQ(launch(1, 1025), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(1, dim3(64, 32)), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(1, dim3(1, 1, 128)), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(0, 32), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(dim3(1, 65536), 32), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(1, 32, 48 << 10), cudaSuccess);
  EXPECT_EQ(launch(1, 32, (48 << 10) + 1), cudaErrorInvalidValue);
  constexpr auto kShared = cudaFuncAttributeMaxDynamicSharedMemorySize;
  EXPECT_EQ(cudaFuncSetAttribute(FullMask, kShared, 164 << 10),
            cudaErrorInvalidValue);
  EXPECT_EQ(cudaGetLastError(), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFuncSetAttribute(FullMask, kShared, 100 << 10), cudaSuccess);
  EXPECT_EQ(launch(1, 32, 100 << 10), cudaSuccess);
}

// Reads shared memory that only an earlier block wrote.
template <typename T>
__global__ void Forgetful(T* fixed, T* dynamic) {
  __shared__ T values[32];
  T* const more = DynamicSharedMemory<T>();
  const int i = blockIdx.x * 32 + threadIdx.x;
  fixed[i] = values[threadIdx.x];
  dynamic[i] = more[threadIdx.x];
  values[threadIdx.x] = more[threadIdx.x] = T(1);
}

TEST(SharedMemoryTest, BeginsAsNanInEveryBlock) {
  DeviceBuffer<float> fixed(96), dynamic(96);
  M2F_EXPECT_CUDA_SUCCESS(LaunchKernel(Forgetful<float>, 3, 32,
                                       32 * sizeof(float), nullptr,
                                       fixed.data(), dynamic.data()));
  EXPECT_THAT(fixed.ToHost(), Each(IsNan()));
  EXPECT_THAT(dynamic.ToHost(), Each(IsNan()));
}

// Each thread wants what its neighbour wrote, but does not wait for it.
__global__ void NoBarrier(int* wrong) {
  __shared__ int values[64];
  values[threadIdx.x] = 1;
  const bool early = values[(threadIdx.x + 1) % 64] != 1;
  if (early) *wrong = 1;
}

TEST(OrderTest, ShowsThatABarrierIsMissing) {
  DeviceBuffer<int> wrong(std::vector<int>{0});
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchKernel(NoBarrier, 8, 64, 0, nullptr, wrong.data()));
  EXPECT_EQ(wrong.ToHost()[0], 1);
}

__global__ void Ticket(int* next, int* order) {
  order[blockIdx.x] = atomicAdd(next, 1);
}

TEST(OrderTest, ShufflesBlocksAndVisitsEachOnce) {
  for (const int blocks : {1, 2, 30, 997}) {
    DeviceBuffer<int> next(std::vector<int>{0}), order(blocks);
    M2F_EXPECT_CUDA_SUCCESS(
        LaunchKernel(Ticket, blocks, 1, 0, nullptr, next.data(), order.data()));
    EXPECT_EQ(next.ToHost()[0], blocks);
    const std::vector<int> tickets = order.ToHost();
    std::vector<int> ascending(blocks), sorted = tickets;
    for (int i = 0; i < blocks; ++i) ascending[i] = i;
    EXPECT_EQ(tickets != ascending, blocks > 2 || tickets[0] != 0);
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(sorted, ascending);
  }
}

#if defined(__SANITIZE_ADDRESS__)

__global__ void Misaligned(const float* input, float* output) {
  output[0] = reinterpret_cast<const float4*>(input)->x;
}

__global__ void Beyond(const float* input, float* output) {
  output[0] = input[threadIdx.x];
}

// Through a pointer of which the compiler knows no size.
__device__ __noinline__ float Write(float* pointer, int size) {
  pointer[size] = 1;
  return pointer[size];
}

__global__ void BeyondShared(int size, float* output) {
  __shared__ float values[5];
  output[0] = Write(values, size);
}

__global__ void BeyondDynamic(int size, float* output) {
  DynamicSharedMemory<float>()[size] = 1;
  output[0] = DynamicSharedMemory<float>()[size];
}

TEST(SanitizedDeathTest, StopsAtMemoryBeyondItsEnd) {
  const DeviceBuffer<float> input(31);
  DeviceBuffer<float> output(1);
  EXPECT_DEATH(
      LaunchKernel(Beyond, 1, 32, 0, nullptr, input.data(), output.data()),
      "heap-buffer-overflow");
  EXPECT_DEATH(LaunchKernel(BeyondShared, 1, 1, 0, nullptr, 5, output.data()),
               "global-buffer-overflow");
  EXPECT_DEATH(LaunchKernel(BeyondDynamic, 1, 1, 20, nullptr, 5, output.data()),
               "heap-buffer-overflow");
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchKernel(BeyondShared, 1, 1, 0, nullptr, 4, output.data()));
}

TEST(SanitizedDeathTest, StopsAtAMisalignedVector) {
  const DeviceBuffer<float> input(8);
  DeviceBuffer<float> output(1);
  EXPECT_DEATH(LaunchKernel(Misaligned, 1, 1, 0, nullptr, input.data() + 1,
                            output.data()),
               "misaligned address");
}

#endif

}  // namespace
}  // namespace mask2former
