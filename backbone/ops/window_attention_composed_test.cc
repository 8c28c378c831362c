#include "mask2former/backbone/ops/window_attention_composed.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

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

INSTANTIATE_TEST_SUITE_P(Shifts, SdpaWindowAttentionTest,
                         testing::Values(0, 1, 2));

}  // namespace
}  // namespace mask2former::ops
