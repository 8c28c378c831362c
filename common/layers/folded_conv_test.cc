#include "mask2former/common/layers/folded_conv.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Case {
  std::string name;
  int64_t batch, in, out, kernel, stride, padding, height, width;
  bool bias, relu;
};

class FoldedConvTest : public testing::TestWithParam<Case> {};

at::Tensor Expected(const at::Tensor& y, const Case& c) {
  return c.relu ? y.clamp_min(0) : y;
}

// In oneDNN, and with it switched off.
TEST_P(FoldedConvTest, EqualsTheSeparateSteps) {
  at::manual_seed(1);
  const Case& c = GetParam();
  const at::Tensor x = at::randn({c.batch, c.in, c.height, c.width});
  const at::Tensor weight = at::randn({c.out, c.in, c.kernel, c.kernel});
  const at::Tensor bias = c.bias ? at::randn({c.out}) : at::Tensor();
  const at::Tensor y = at::conv2d(x, weight, bias, c.stride, c.padding);
  const at::Tensor residual = at::randn(y.sizes());
  const FoldedConv conv(weight, bias, {c.stride, c.padding, c.relu});
  for (const bool one_dnn : {true, false}) {
    at::globalContext().setUserEnabledMkldnn(one_dnn);
    EXPECT_THAT(conv.Run(x, {}), TensorNear(Expected(y, c), 1e-5, 1e-5));
    EXPECT_THAT(conv.Run(x, residual),
                TensorNear(Expected(y + residual, c), 1e-5, 1e-5));
  }
  at::globalContext().setUserEnabledMkldnn(true);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, FoldedConvTest,
    testing::Values(Case{"Stem", 2, 3, 8, 7, 2, 3, 13, 18, true, true},
                    Case{"OneByOne", 1, 5, 6, 1, 1, 0, 4, 7, true, false},
                    Case{"StridedOneByOne", 2, 4, 6, 1, 2, 0, 5, 7, false,
                         true},
                    Case{"OnePixel", 1, 6, 4, 3, 1, 1, 1, 1, true, true},
                    Case{"OneChannel", 2, 6, 1, 3, 1, 1, 4, 5, true, true},
                    Case{"ThreeByThree", 1, 6, 4, 3, 1, 1, 5, 3, true, true}),
    [](const auto& info) { return info.param.name; });

TEST(FoldedConvTest, AcceptsStridedInputAndLeavesItAlone) {
  const at::Tensor x = at::randn({2, 7, 6, 4}).permute({0, 3, 2, 1});
  const at::Tensor residual = at::randn({2, 7, 6, 5}).permute({0, 3, 2, 1});
  const at::Tensor weight = at::randn({5, 4, 1, 1});
  const at::Tensor x_before = x.clone();
  const at::Tensor residual_before = residual.clone();
  const FoldedConv conv(weight, {}, {1, 0, true});
  EXPECT_THAT(
      conv.Run(x, residual),
      TensorNear((at::conv2d(x, weight) + residual).clamp_min(0), 1e-5, 1e-5));
  EXPECT_THAT(x, TensorNear(x_before, 0., 0.));
  EXPECT_THAT(residual, TensorNear(residual_before, 0., 0.));
}

TEST(FoldedConvTest, TakesDoubleAndNoImages) {
  const at::Tensor weight = at::randn({5, 4, 3, 3}, at::kDouble);
  const FoldedConv conv(weight, {}, {1, 1, false});
  const at::Tensor x = at::randn({1, 4, 6, 5}, at::kDouble);
  EXPECT_THAT(conv.Run(x, {}),
              TensorNear(at::conv2d(x, weight, {}, 1, 1), 1e-12, 0.));
  EXPECT_THAT(conv.Run(x.narrow(0, 0, 0), {}).sizes(), ElementsAre(0, 5, 6, 5));
}

TEST(FoldedConvTest, RejectsAResidualOfAnotherShape) {
  const FoldedConv conv(at::randn({5, 4, 1, 1}), {}, {1, 0, true});
  EXPECT_THAT(
      [&] {
        conv.Run(at::randn({1, 4, 6, 5}), at::randn({1, 1, 6, 5}));
      },
      ThrowsMessage<c10::Error>(HasSubstr(
          "residual must have shape [1, 5, 6, 5], got [1, 1, 6, 5]")));
}

TEST(FoldedConvTest, ConvertsToTheWeightsDtype) {
  const at::Tensor weight = at::randn({5, 4, 1, 1});
  const at::Tensor x = at::randn({1, 4, 6, 5});
  const FoldedConv conv(weight.to(at::kBFloat16), {}, {1, 0, true});
  const at::Tensor y = conv.Run(x, {});
  EXPECT_EQ(y.scalar_type(), at::kBFloat16);
  // Eight bits of mantissa, four products.
  EXPECT_THAT(y, TensorNear(at::conv2d(x, weight).clamp_min(0), 0.06, 0.02));
}

}  // namespace
}  // namespace mask2former
