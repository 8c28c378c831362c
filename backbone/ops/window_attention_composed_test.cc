#include "mask2former/backbone/ops/window_attention_composed.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <utility>
#include <vector>

#include "mask2former/backbone/ops/window_attention_reference.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former::ops {
namespace {

TEST(ComposedWindowAttentionTest, EqualsTheReference) {
  torch::manual_seed(7);
  for (const int64_t shift : {0, 1, 2}) {
    const at::Tensor qkv = at::randn({2, 5, 10, 24}, at::kDouble);
    const at::Tensor padding = at::randn({24}, at::kDouble);
    const at::Tensor bias = at::randn({2, 9, 9}, at::kDouble);
    EXPECT_THAT(
        ComposedWindowAttention(qkv, padding, bias, 3, shift),
        TensorNear(WindowAttentionReference(qkv, padding, bias, 3, shift),
                   1e-12, 0.))
        << shift;
  }
}

// Maps of whole windows; with padding on the right, below, and on both sides.
TEST(ComposedWindowAttentionTest, BackwardIsTheGradientOfTheSteps) {
  torch::manual_seed(9);
  const std::vector<std::pair<int64_t, int64_t>> sizes = {
      {6, 9}, {6, 7}, {5, 9}, {5, 10}};
  for (const auto& [height, width] : sizes) {
    for (const int64_t shift : {0, 1, 2}) {
      std::vector<at::Tensor> inputs = {
          at::randn({2, height, width, 24}, at::kDouble),
          at::randn({24}, at::kDouble), at::randn({2, 9, 9}, at::kDouble)};
      const at::Tensor grad_output =
          at::randn({2, height, width, 8}, at::kDouble);
      const auto [qkv, padding, bias] = ComposedWindowAttentionBackward(
          grad_output, inputs[0], inputs[1], inputs[2], 3, shift);
      for (at::Tensor& input : inputs) input.requires_grad_();
      ComposedWindowAttention(inputs[0], inputs[1], inputs[2], 3, shift)
          .backward(grad_output);
      EXPECT_THAT(qkv, TensorNear(inputs[0].grad(), 1e-12, 0.)) << shift;
      EXPECT_THAT(bias, TensorNear(inputs[2].grad(), 1e-12, 0.)) << shift;
      // Nothing is padded, nothing has a gradient.
      const at::Tensor expected = inputs[1].grad().defined()
                                      ? inputs[1].grad()
                                      : at::zeros({24}, at::kDouble);
      EXPECT_EQ(inputs[1].grad().defined(), height % 3 != 0 || width % 3 != 0);
      EXPECT_THAT(padding, TensorNear(expected, 1e-12, 0.)) << shift;
    }
  }
}

class SdpaWindowAttentionTest : public testing::TestWithParam<int64_t> {
 protected:
  // Windows of 3; maps that need padding, of two images.
  void SetUp() override {
    torch::manual_seed(8);
    qkv_ = at::randn({2, 5, 10, 3 * 2 * 8}, at::kDouble);
    padding_ = at::randn({3 * 2 * 8}, at::kDouble);
    bias_ = at::randn({2, 9, 9}, at::kDouble);
  }
  // Of arguments that have been rounded to `type`.
  at::Tensor Reference(at::ScalarType type) const {
    const auto rounded = [&](const at::Tensor& tensor) {
      return tensor.to(type).to(at::kDouble);
    };
    return WindowAttentionReference(rounded(qkv_), rounded(padding_),
                                    rounded(bias_), 3, GetParam());
  }
  at::Tensor Run(at::ScalarType type) const {
    return SdpaWindowAttention(qkv_.to(type), padding_.to(type), bias_.to(type),
                               3, GetParam());
  }

  at::Tensor qkv_, padding_, bias_;
};

TEST_P(SdpaWindowAttentionTest, EqualsTheReferenceInEveryType) {
  EXPECT_THAT(Run(at::kDouble), TensorNear(Reference(at::kDouble), 1e-12, 0.));
  EXPECT_THAT(Run(at::kFloat), TensorNear(Reference(at::kFloat), 5e-6, 0.));
  for (const at::ScalarType half : {at::kHalf, at::kBFloat16}) {
    const at::Tensor output = Run(half);
    EXPECT_EQ(output.scalar_type(), half);
    EXPECT_THAT(output, TensorNear(Reference(half), 3e-2, 0.));
  }
}

TEST_P(SdpaWindowAttentionTest, GradientsAreThoseOfTheSteps) {
  std::vector<std::vector<at::Tensor>> gradients;
  for (const auto function : {&ComposedWindowAttention, &SdpaWindowAttention}) {
    std::vector<at::Tensor> inputs;
    for (const at::Tensor& input : {qkv_, padding_, bias_}) {
      inputs.push_back(input.clone().requires_grad_());
    }
    function(inputs[0], inputs[1], inputs[2], 3, GetParam())
        .square()
        .sum()
        .backward();
    gradients.emplace_back();
    for (const at::Tensor& input : inputs) {
      gradients.back().push_back(input.grad());
    }
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(gradients[1][i], TensorNear(gradients[0][i], 1e-11, 0.)) << i;
  }
}

// More windows than LibTorch's fused kernels can number, of one position each.
TEST(ManyWindowsTest, TakeTheSteps) {
  torch::manual_seed(10);
  const at::Tensor qkv = at::randn({1, 256, 257, 3});
  const at::Tensor padding = at::zeros({3}), bias = at::randn({1, 1, 1});
  EXPECT_TRUE(SdpaWindowAttention(qkv, padding, bias, 1, 0)
                  .equal(ComposedWindowAttention(qkv, padding, bias, 1, 0)));
}

INSTANTIATE_TEST_SUITE_P(Shifts, SdpaWindowAttentionTest,
                         testing::Values(0, 1, 2));

}  // namespace
}  // namespace mask2former::ops
