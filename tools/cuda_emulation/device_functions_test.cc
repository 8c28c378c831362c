// The functions that kernels call, one by one.

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "mask2former/common/cuda/launch.h"
#include "mask2former/common/testing/device_buffer.h"

namespace mask2former {
namespace {

constexpr unsigned kAll = 0xffffffff;
constexpr int kWarpResults = 16;

__global__ void WarpFunctions(long long* results) {
  const int lane = threadIdx.x;
  long long* const r = results + kWarpResults * lane;
  r[0] = __shfl_sync(kAll, lane * 10, 33);
  r[1] = __shfl_sync(kAll, lane, 5, 8);
  r[2] = __shfl_up_sync(kAll, lane, 3, 16);
  r[3] = __shfl_down_sync(kAll, int64_t{1} << 40 | lane, 3, 16);
  r[4] = __shfl_xor_sync(kAll, lane, 9);
  r[5] = __shfl_xor_sync(kAll, lane, 4, 4);  // Leaves its group.
  r[6] = __ballot_sync(kAll, lane % 3 == 0);
  r[7] = __any_sync(kAll, lane == 31);
  r[8] = __all_sync(kAll, lane < 31);
  r[9] = __match_any_sync(kAll, lane / 5);
  r[10] = __reduce_add_sync(kAll, lane - 1);
  r[11] = __reduce_max_sync(kAll, static_cast<unsigned>(lane ^ 21));
  r[12] = __syncthreads_count(lane < 7);
  r[13] = __syncthreads_or(lane == 8);
  r[14] = __syncthreads_and(lane != 8);
  r[15] = lane < 2 ? __shfl_down_sync(0x3, lane, 1) : 0;
}

TEST(WarpFunctionsTest, DoAsTheManualSays) {
  DeviceBuffer<long long> results(32 * kWarpResults);
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchKernel(WarpFunctions, 1, 32, 0, nullptr, results.data()));
  const std::vector<long long> all = results.ToHost();
  for (int lane = 0; lane < 32; ++lane) {
    SCOPED_TRACE(lane);
    const long long* const r = all.data() + kWarpResults * lane;
    EXPECT_EQ(r[0], 10);
    EXPECT_EQ(r[1], lane / 8 * 8 + 5);
    EXPECT_EQ(r[2], lane % 16 >= 3 ? lane - 3 : lane);
    EXPECT_EQ(r[3], (int64_t{1} << 40) + (lane % 16 < 13 ? lane + 3 : lane));
    EXPECT_EQ(r[4], lane ^ 9);
    EXPECT_EQ(r[5], lane);
    EXPECT_EQ(r[6], 0x49249249);
    EXPECT_EQ(r[7], 1);
    EXPECT_EQ(r[8], 0);
    EXPECT_EQ(r[9], (lane < 30 ? 31LL : 3LL) << lane / 5 * 5);
    EXPECT_EQ(r[10], 31 * 32 / 2 - 32);
    EXPECT_EQ(r[11], 31);
    EXPECT_EQ(r[12], 7);
    EXPECT_EQ(r[13], 1);
    EXPECT_EQ(r[14], 0);
    // Lane 2 is not in lane 1's mask: nothing that could pass for a value.
    EXPECT_EQ(r[15], lane == 0 ? 1 : (lane == 1 ? -1 : 0));
  }
}

TEST(AtomicFunctionsTest, ReturnTheOldValue) {
  int i = 5;
  EXPECT_EQ(atomicAdd(&i, 2), 5);
  EXPECT_EQ(atomicMax(&i, 3), 7);
  EXPECT_EQ(atomicMin(&i, 3), 7);
  EXPECT_EQ(atomicExch(&i, 9), 3);
  EXPECT_EQ(atomicCAS(&i, 8, 1), 9);
  EXPECT_EQ(atomicCAS(&i, 9, 1), 9);
  EXPECT_EQ(i, 1);
  float4 v = {1, 2, 3, 4};
  EXPECT_EQ(atomicAdd(&v, float4{10, 20, 30, 40}).w, 4);
  EXPECT_EQ(v.z, 33);
}

TEST(MathFunctionsTest, ConvertAsAGpuDoes) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(__float2int_rd(-1.5f), -2);
  EXPECT_EQ(__float2int_ru(-1.5f), -1);
  EXPECT_EQ(__float2int_rz(-1.5f), -1);
  EXPECT_EQ(__float2int_rn(2.5f), 2);
  EXPECT_EQ(__float2int_rd(3e9f), std::numeric_limits<int>::max());
  EXPECT_EQ(__float2int_rd(-inf), std::numeric_limits<int>::min());
  EXPECT_EQ(__float2int_rd(inf - inf), 0);
  EXPECT_EQ(__float2uint_rz(-1.f), 0u);
  EXPECT_EQ(__float2ll_rn(1e30f), std::numeric_limits<long long>::max());
  EXPECT_EQ(max(1.f, inf - inf), 1.f);
  EXPECT_EQ(__saturatef(inf - inf), 0.f);
  EXPECT_EQ(__ffs(0), 0);
  EXPECT_EQ(__ffs(8), 4);
  EXPECT_EQ(__clz(0), 32);
  EXPECT_EQ(__byte_perm(0x33221100, 0x77665544, 0x7410), 0x77441100u);
  EXPECT_EQ(__umulhi(0x80000000u, 6), 3u);
}

}  // namespace
}  // namespace mask2former
