#include "mask2former/backbone/ops/window_attention_cpu_kernel.h"

#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "mask2former/backbone/ops/window_attention_reference.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former::ops {
namespace {

using ::testing::ElementsAre;

struct Kernel {
  const char* name;
  WindowAttentionKernel run;
};

// Those that this processor has the instructions for.
std::vector<Kernel> Kernels() {
  std::vector<Kernel> kernels = {{"portable", window_attention_portable::Run}};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    kernels.push_back({"avx2", window_attention_avx2::Run});
  }
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    kernels.push_back({"avx512", window_attention_avx512::Run});
  }
#endif
  return kernels;
}

struct Problem {
  explicit Problem(const WindowAttentionSizes& sizes)
      : sizes(sizes),
        qkv(at::randn(
            {sizes.batch, sizes.height, sizes.width, 3 * sizes.channels()})),
        padding(at::randn({3 * sizes.channels()})),
        bias(at::randn({sizes.heads, sizes.positions(), sizes.positions()})) {}

  // Elements that the kernel leaves out stay 1e30.
  at::Tensor Run(WindowAttentionKernel kernel, int64_t begin,
                 int64_t end) const {
    const at::Tensor padded_bias = at::full(
        {sizes.heads, sizes.positions(), PaddedPositions(sizes)}, 1e30f);
    PadPositionBias(sizes, bias.const_data_ptr<float>(),
                    padded_bias.mutable_data_ptr<float>());
    const at::Tensor output = at::full(
        {sizes.batch, sizes.height, sizes.width, sizes.channels()}, 1e30f);
    kernel(
        {sizes, qkv.const_data_ptr<float>(), padding.const_data_ptr<float>(),
         padded_bias.const_data_ptr<float>(), output.mutable_data_ptr<float>()},
        begin, end);
    return output;
  }

  at::Tensor Reference() const {
    return WindowAttentionReference(qkv, padding, bias, sizes.window,
                                    sizes.shift);
  }

  WindowAttentionSizes sizes;
  at::Tensor qkv, padding, bias;
};

TEST(WindowAttentionCpuKernelTest, EveryOneEqualsTheReference) {
  torch::manual_seed(1);
  const WindowAttentionSizes cases[] = {
      {1, 14, 21, 1, 32, 7, 0}, {2, 10, 9, 2, 32, 7, 3},
      {1, 5, 3, 1, 32, 7, 3},   {1, 25, 14, 2, 32, 12, 6},
      {1, 7, 8, 1, 64, 3, 1},   {2, 3, 40, 3, 32, 5, 4},
      {1, 9, 9, 1, 96, 8, 0},
  };
  for (const WindowAttentionSizes& sizes : cases) {
    ASSERT_TRUE(KernelTakes(sizes));
    const Problem problem(sizes);
    const at::Tensor expected = problem.Reference();
    for (const Kernel& kernel : Kernels()) {
      EXPECT_THAT(problem.Run(kernel.run, 0, sizes.windows()),
                  TensorNear(expected, 3e-6, 1e-6))
          << kernel.name << ", window " << sizes.window << ", " << sizes.height
          << " x " << sizes.width;
    }
  }
}

TEST(WindowAttentionCpuKernelTest, WritesItsWindowsOnly) {
  torch::manual_seed(1);
  const Problem problem({1, 6, 9, 1, 32, 3, 0});
  for (const Kernel& kernel : Kernels()) {
    // The windows in columns 1 and 2 of the first row.
    const at::Tensor part = problem.Run(kernel.run, 1, 3);
    const at::Tensor whole = problem.Run(kernel.run, 0, 6);
    EXPECT_TRUE(part.narrow(1, 0, 3).narrow(2, 3, 6).equal(
        whole.narrow(1, 0, 3).narrow(2, 3, 6)));
    EXPECT_TRUE(part.narrow(2, 0, 3).eq(1e30f).all().item<bool>());
    EXPECT_TRUE(part.narrow(1, 3, 3).eq(1e30f).all().item<bool>());
  }
}

TEST(WindowAttentionCpuKernelTest, NotANumberStaysInItsWindowAndHead) {
  torch::manual_seed(1);
  Problem problem({1, 6, 6, 2, 32, 3, 0});
  problem.qkv[0][1][1][0] = std::numeric_limits<float>::quiet_NaN();
  for (const Kernel& kernel : Kernels()) {
    const at::Tensor output = problem.Run(kernel.run, 0, 4);
    EXPECT_EQ(output.isnan().sum().item<int64_t>(), 32) << kernel.name;
    EXPECT_TRUE(output[0][1][1].narrow(0, 0, 32).isnan().all().item<bool>());
  }
}

TEST(WindowAttentionCpuKernelTest, FarSmallerScoresCountNothing) {
  torch::manual_seed(1);
  Problem problem({1, 3, 3, 1, 32, 3, 0});
  problem.bias.fill_(-1000);
  problem.bias.select(2, 4).fill_(1000);
  for (const Kernel& kernel : Kernels()) {
    const at::Tensor output = problem.Run(kernel.run, 0, 1);
    const at::Tensor value = problem.qkv[0][1][1].narrow(0, 64, 32);
    EXPECT_THAT(output, TensorNear(value.expand({1, 3, 3, 32}), 0., 1e-6))
        << kernel.name;
  }
}

TEST(PadPositionBiasTest, PutsMinusInfinityBehindEveryRow) {
  const WindowAttentionSizes sizes = {1, 1, 1, 1, 32, 3, 0};
  EXPECT_EQ(PaddedPositions(sizes), 16);
  std::vector<float> bias(81), padded(9 * 16);
  for (int i = 0; i < 81; ++i) bias[i] = static_cast<float>(i);
  PadPositionBias(sizes, bias.data(), padded.data());
  EXPECT_EQ(padded[16 * 8 + 8], 80);
  EXPECT_EQ(padded[16 * 1], 9);
  EXPECT_EQ(padded[15], -INFINITY);
  EXPECT_EQ(padded[16 * 8 + 9], -INFINITY);
}

TEST(KernelTakesTest, WholeVectorsAndEnoughRows) {
  EXPECT_TRUE(KernelTakes({1, 1, 1, 1, 32, 3, 0}));
  EXPECT_FALSE(KernelTakes({1, 1, 1, 1, 32, 2, 0}));
  EXPECT_FALSE(KernelTakes({1, 1, 1, 1, 16, 7, 0}));
}

}  // namespace
}  // namespace mask2former::ops
