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

// Shifted windows of two images that need padding.
struct Arguments {
  at::Tensor qkv, padding, position_bias, grad_output;
};

Arguments Draw() {
  torch::manual_seed(7);
  return {at::randn({2, 17, 24, 3 * 3 * 32}), at::randn({3 * 3 * 32}),
          at::randn({3, 49, 49}), at::randn({2, 17, 24, 3 * 32})};
}

// The result and its gradients.
std::vector<at::Tensor> ForwardAndBackward(const Arguments& arguments,
                                           at::Device device,
                                           at::ScalarType type) {
  std::vector<at::Tensor> inputs = {arguments.qkv, arguments.padding,
                                    arguments.position_bias};
  for (at::Tensor& input : inputs) {
    input = input.to(device, type).requires_grad_();
  }
  const at::Tensor output =
      WindowAttention(inputs[0], inputs[1], inputs[2], 7, 3);
  output.backward(arguments.grad_output.to(device, type));
  std::vector<at::Tensor> results = {output.detach().cpu()};
  for (const at::Tensor& input : inputs) results.push_back(input.grad().cpu());
  return results;
}

TEST(WindowAttentionCudaTest, EqualsTheCpu) {
  M2F_REQUIRES_CUDA();
  const Arguments arguments = Draw();
  const auto expected = ForwardAndBackward(arguments, at::kCPU, at::kFloat);
  const auto actual = ForwardAndBackward(arguments, at::kCUDA, at::kFloat);
  for (size_t i = 0; i < expected.size(); ++i) {
    // Gradients are sums of many numbers of either sign.
    const double scale = expected[i].abs().max().item<double>();
    EXPECT_THAT(actual[i], TensorNear(expected[i], 1e-5 * (1 + scale), 1e-4))
        << "result " << i;
  }
}

TEST(WindowAttentionCudaTest, EqualsTheCpuInHalfTypes) {
  M2F_REQUIRES_CUDA();
  const Arguments arguments = Draw();
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    // Half a unit in the last place, at every one of a few steps.
    const double rounding = type == at::kHalf ? 0x1p-11 : 0x1p-8;
    const auto expected = ForwardAndBackward(arguments, at::kCPU, at::kFloat);
    const auto actual = ForwardAndBackward(arguments, at::kCUDA, type);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(actual[i].scalar_type(), type);
      const double scale = expected[i].abs().max().item<double>();
      EXPECT_THAT(actual[i], TensorNear(expected[i], 8 * rounding * (1 + scale),
                                        8 * rounding))
          << "result " << i;
    }
  }
}

TEST(WindowAttentionCudaTest, TheOperatorOfTheGradientEqualsTheCpus) {
  M2F_REQUIRES_CUDA();
  const Arguments a = Draw();
  const auto [qkv, padding, bias] = WindowAttentionBackward(
      a.grad_output, a.qkv, a.padding, a.position_bias, 7, 3);
  const auto [qkv2, padding2, bias2] =
      WindowAttentionBackward(a.grad_output.cuda(), a.qkv.cuda(),
                              a.padding.cuda(), a.position_bias.cuda(), 7, 3);
  EXPECT_THAT(qkv2.cpu(), TensorNear(qkv, 1e-4, 1e-4));
  EXPECT_THAT(padding2.cpu(), TensorNear(padding, 1e-3, 1e-4));
  EXPECT_THAT(bias2.cpu(), TensorNear(bias, 1e-4, 1e-4));
}

}  // namespace
}  // namespace mask2former::ops
