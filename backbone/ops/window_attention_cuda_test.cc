// The op on a GPU against the op on the CPU.

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <vector>

#include "mask2former/backbone/ops/window_attention.h"
#include "mask2former/common/testing/requires_cuda.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former::ops {
namespace {

struct Sizes {
  const char* name;
  int64_t batch, height, width, heads, head_dim, window, shift;
};

// Shifted windows of two images that need padding.
constexpr Sizes kSwinT = {"SwinT", 2, 17, 24, 3, 32, 7, 3};

struct Arguments {
  at::Tensor qkv, padding, position_bias, grad_output;
};

// Numbers that `type` holds, in float.
Arguments Draw(const Sizes& s, at::ScalarType type) {
  torch::manual_seed(7);
  const int64_t channels = s.heads * s.head_dim;
  const int64_t positions = s.window * s.window;
  const auto draw = [&](at::IntArrayRef sizes) {
    return at::randn(sizes).to(type).to(at::kFloat);
  };
  return {draw({s.batch, s.height, s.width, 3 * channels}),
          draw({3 * channels}), draw({s.heads, positions, positions}),
          draw({s.batch, s.height, s.width, channels})};
}

// The result and its gradients.
std::vector<at::Tensor> ForwardAndBackward(const Arguments& arguments,
                                           const Sizes& sizes,
                                           at::Device device,
                                           at::ScalarType type) {
  std::vector<at::Tensor> inputs = {arguments.qkv, arguments.padding,
                                    arguments.position_bias};
  for (at::Tensor& input : inputs) {
    input = input.detach().to(device, type).requires_grad_();
  }
  const at::Tensor output = WindowAttention(inputs[0], inputs[1], inputs[2],
                                            sizes.window, sizes.shift);
  output.backward(arguments.grad_output.to(device, type));
  std::vector<at::Tensor> results = {output.detach().cpu()};
  for (const at::Tensor& input : inputs) results.push_back(input.grad().cpu());
  return results;
}

// Within 1e-5 (of the largest number, for gradients are sums of many of either
// sign) + 1e-4 relative, and `rounding` of each number to `type`.
void ExpectEqualsTheCpu(const Sizes& sizes, at::ScalarType type,
                        double rounding) {
  const Arguments arguments = Draw(sizes, type);
  const auto expected =
      ForwardAndBackward(arguments, sizes, at::kCPU, at::kFloat);
  const auto actual = ForwardAndBackward(arguments, sizes, at::kCUDA, type);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(actual[i].scalar_type(), type);
    const double largest = expected[i].abs().max().item<double>();
    EXPECT_THAT(actual[i].to(at::kFloat),
                TensorNear(expected[i], 1e-5 * (1 + largest), 1e-4 + rounding))
        << sizes.name << ", " << type << ", result " << i;
  }
}

TEST(WindowAttentionCudaTest, EqualsTheCpu) {
  M2F_REQUIRES_CUDA();
  for (const Sizes& sizes : {kSwinT, Sizes{"SwinB", 1, 16, 20, 4, 32, 12, 6},
                             Sizes{"Unshifted", 2, 10, 9, 2, 32, 5, 0}}) {
    ExpectEqualsTheCpu(sizes, at::kFloat, 0);
  }
}

// They are read and written, but computed with in float.
TEST(WindowAttentionCudaTest, EqualsTheCpuInHalfTypes) {
  M2F_REQUIRES_CUDA();
  ExpectEqualsTheCpu(kSwinT, at::kHalf, 0x1p-11);
  ExpectEqualsTheCpu(kSwinT, at::kBFloat16, 0x1p-8);
}

// LibTorch's operators.
TEST(WindowAttentionCudaTest, EqualsTheCpuWhereThereIsNoKernel) {
  M2F_REQUIRES_CUDA();
  ExpectEqualsTheCpu({"LargeWindow", 1, 20, 17, 2, 32, 13, 6}, at::kFloat, 0);
  ExpectEqualsTheCpu({"WideHeads", 1, 8, 10, 2, 64, 7, 3}, at::kFloat, 0);
  ExpectEqualsTheCpu(kSwinT, at::kDouble, 0);
}

TEST(WindowAttentionCudaTest, GivesTheSameBitsTwice) {
  M2F_REQUIRES_CUDA();
  const Arguments arguments = Draw(kSwinT, at::kFloat);
  const auto once =
      ForwardAndBackward(arguments, kSwinT, at::kCUDA, at::kFloat);
  const auto again =
      ForwardAndBackward(arguments, kSwinT, at::kCUDA, at::kFloat);
  for (size_t i = 0; i < once.size(); ++i) {
    EXPECT_TRUE(once[i].equal(again[i])) << "result " << i;
  }
}

TEST(WindowAttentionCudaTest, TakesAnyStrides) {
  M2F_REQUIRES_CUDA();
  const Arguments a = Draw(kSwinT, at::kFloat);
  const at::Tensor qkv = a.qkv.cuda(), padding = a.padding.cuda(),
                   bias = a.position_bias.cuda();
  const at::Tensor expected = WindowAttention(qkv, padding, bias, 7, 3);
  const at::Tensor turned =
      qkv.permute({3, 0, 2, 1}).contiguous().permute({1, 3, 2, 0});
  // Contiguous, but at an address that is no multiple of 16.
  const at::Tensor moved =
      at::randn({padding.size(0) + 1}, padding.options()).narrow(0, 1, 288);
  moved.copy_(padding);
  const at::Tensor bias_by_key =
      bias.transpose(1, 2).contiguous().transpose(1, 2);
  EXPECT_TRUE(
      WindowAttention(turned, moved, bias_by_key, 7, 3).equal(expected));
}

TEST(WindowAttentionCudaTest, AnEmptyBatchHasGradientsOfZero) {
  M2F_REQUIRES_CUDA();
  Sizes sizes = kSwinT;
  sizes.batch = 0;
  const auto results =
      ForwardAndBackward(Draw(sizes, at::kFloat), sizes, at::kCUDA, at::kFloat);
  EXPECT_EQ(results[0].sizes(), (std::vector<int64_t>{0, 17, 24, 96}));
  EXPECT_EQ(results[2].abs().max().item<float>(), 0);
  EXPECT_EQ(results[3].abs().max().item<float>(), 0);
}

TEST(WindowAttentionCudaTest, TheOperatorOfTheGradientEqualsTheCpus) {
  M2F_REQUIRES_CUDA();
  const Arguments a = Draw(kSwinT, at::kFloat);
  const auto [qkv, padding, bias] = WindowAttentionBackward(
      a.grad_output, a.qkv, a.padding, a.position_bias, 7, 3);
  const auto [qkv2, padding2, bias2] =
      WindowAttentionBackward(a.grad_output.cuda(), a.qkv.cuda(),
                              a.padding.cuda(), a.position_bias.cuda(), 7, 3);
  const auto expect_near = [](const at::Tensor& actual,
                              const at::Tensor& expected) {
    const double largest = expected.abs().max().item<double>();
    EXPECT_THAT(actual.cpu(), TensorNear(expected, 1e-5 * (1 + largest), 1e-4));
  };
  expect_near(qkv2, qkv);
  expect_near(padding2, padding);
  expect_near(bias2, bias);
}

}  // namespace
}  // namespace mask2former::ops
