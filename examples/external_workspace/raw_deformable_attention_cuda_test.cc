// Multi-scale deformable attention on pointers to a GPU's memory: the CUDA
// runtime, and no LibTorch. Needs --config=cuda; skips without a GPU.

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"

namespace {

using mask2former::ops::LaunchMsDeformAttn;
using mask2former::ops::MsDeformAttnSizes;
using mask2former::ops::PlainSamples;

// A copy of an array in the GPU's memory.
template <size_t kCount>
float* OnGpu(const float (&numbers)[kCount]) {
  float* copy = nullptr;
  EXPECT_EQ(cudaMalloc(reinterpret_cast<void**>(&copy), sizeof(numbers)),
            cudaSuccess);
  EXPECT_EQ(cudaMemcpy(copy, numbers, sizeof(numbers), cudaMemcpyHostToDevice),
            cudaSuccess);
  return copy;
}

// As in raw_deformable_attention_test.cc.
TEST(RawDeformableAttentionCudaTest, ReadsBetweenPixels) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    GTEST_SKIP() << "needs a GPU";
  }
  const MsDeformAttnSizes sizes = {/*batch=*/1,   /*positions=*/6,
                                   /*heads=*/1,   /*head_dim=*/1,
                                   /*queries=*/2, /*levels=*/1,
                                   /*points=*/2};
  const int64_t level_shapes[] = {2, 3};  // On the host.
  float* const value = OnGpu({0, 1, 2, 3, 4, 5});
  float* const locations =
      OnGpu({1 / 3.f, 1 / 2.f, 2.5f / 3, 1.5f / 2, 2.5f / 3, 0.5f / 2, 2, 2});
  float* const weights = OnGpu({0.5f, 0.5f, 0.25f, 0.75f});
  float* const output = OnGpu({-1, -1});
  EXPECT_EQ(LaunchMsDeformAttn(sizes, level_shapes, value,
                               PlainSamples{locations, weights}, output,
                               /*stream=*/nullptr),
            cudaSuccess);
  float result[2];
  EXPECT_EQ(cudaMemcpy(result, output, sizeof(result), cudaMemcpyDeviceToHost),
            cudaSuccess);
  EXPECT_NEAR(result[0], 0.5 * 2 + 0.5 * 5, 1e-6);
  EXPECT_NEAR(result[1], 0.25 * 2, 1e-6);
  for (float* const array : {value, locations, weights, output}) {
    cudaFree(array);
  }
}

}  // namespace
