#include "mask2former/matcher/matching_costs.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(MatchingCostsTest, MaskCostsHaveTheReferenceValues) {
  const at::Tensor logits =
      at::tensor({2., -1., .5, -3., -2., 1., 0., 4.}).view({2, 4});
  const at::Tensor labels =
      at::tensor({1., 0., 1., 0., 0., .25, .5, 1., 0., 0., 0., 0.})
          .view({3, 4});
  const MaskCosts costs = ComputeMaskCosts(logits, labels);
  EXPECT_THAT(costs.mask, TensorNear(at::tensor({.240714, 1.615713, .865714,
                                                 2.037872, .475372, 1.537872})
                                         .view({2, 3}),
                                     /*atol=*/1e-6, /*rtol=*/0.));
  EXPECT_THAT(costs.dice, TensorNear(at::tensor({.168708, .594763, .645343,
                                                 .580216, .246488, .699905})
                                         .view({2, 3}),
                                     /*atol=*/1e-6, /*rtol=*/0.));
}

TEST(MatchingCostsTest, MaskCostEqualsCrossEntropyOfEachPair) {
  const at::Tensor logits =
      40 * ReferenceUniform("logits", 5 * 300).view({5, 300}) - 20;
  const at::Tensor labels = ReferenceUniform("labels", 4 * 300).view({4, 300});
  const MaskCosts costs = ComputeMaskCosts(logits, labels);
  for (int64_t q = 0; q < 5; ++q) {
    for (int64_t n = 0; n < 4; ++n) {
      EXPECT_NEAR(costs.mask[q][n].item<double>(),
                  at::binary_cross_entropy_with_logits(logits[q], labels[n])
                      .item<double>(),
                  1e-8);  // softplus(x) is taken for x above 20.
    }
  }
}

TEST(MatchingCostsTest, FloatIsAsGoodAsItsSums) {
  // Not a multiple of any block; logits from hesitant to saturated.
  const at::Tensor scale = at::tensor({.01, 1., 10., 100.}).unsqueeze(1);
  const at::Tensor logits =
      scale * (2 * ReferenceUniform("logits", 4 * 12345).view({4, 12345}) - 1);
  const at::Tensor labels =
      ReferenceUniform("labels", 3 * 12345).view({3, 12345});
  const MaskCosts actual =
      ComputeMaskCosts(logits.to(at::kFloat), labels.to(at::kFloat));
  const MaskCosts expected = ComputeMaskCosts(logits, labels);
  EXPECT_THAT(actual.mask,
              TensorNear(expected.mask, /*atol=*/1e-6, /*rtol=*/1e-6));
  EXPECT_THAT(actual.dice,
              TensorNear(expected.dice, /*atol=*/1e-6, /*rtol=*/1e-6));
}

TEST(MatchingCostsTest, HugeLogitsStayFinite) {
  const MaskCosts costs =
      ComputeMaskCosts(at::tensor({1e6f, -1e6f}).view({1, 2}),
                       at::tensor({1.f, 0.f, 0.f, 1.f}).view({2, 2}));
  EXPECT_THAT(costs.mask, TensorNear(at::tensor({0., 1e6}).view({1, 2}),
                                     /*atol=*/0., /*rtol=*/0.));
  EXPECT_THAT(costs.dice, TensorNear(at::tensor({0., 2. / 3}).view({1, 2}),
                                     /*atol=*/1e-6, /*rtol=*/0.));
}

TEST(MatchingCostsTest, ClassCostIsMinusTheProbability) {
  // Probabilities 1/8, 5/8, 2/8; the last is "no object".
  const at::Tensor logits = at::tensor({1., 5., 2.}).log().view({1, 3});
  EXPECT_THAT(ClassCost(logits, at::tensor({1, 0, 1}, at::kLong)),
              TensorNear(at::tensor({-.625, -.125, -.625}).view({1, 3}),
                         /*atol=*/1e-7, /*rtol=*/0.));
}

TEST(MatchingCostsTest, HalfPrecisionIsComputedInFloat) {
  const at::Tensor logits = at::full({1, 20000}, 3., at::kHalf);
  const MaskCosts costs =
      ComputeMaskCosts(logits, at::ones({1, 20000}, at::kFloat));
  // The sum over points, 60000, is not a half.
  EXPECT_EQ(costs.mask.scalar_type(), at::kFloat);
  EXPECT_NEAR(costs.mask.item<double>(), 0.048587, 1e-5);
  EXPECT_NEAR(costs.dice.item<double>(), 0.024307, 1e-5);
  EXPECT_EQ(ClassCost(at::zeros({1, 2}, at::kHalf), at::zeros({1}, at::kLong))
                .scalar_type(),
            at::kFloat);
}

TEST(MatchingCostsTest, AcceptsNoTargets) {
  const MaskCosts costs =
      ComputeMaskCosts(at::zeros({3, 5}), at::zeros({0, 5}));
  EXPECT_THAT(costs.mask.sizes(), ElementsAre(3, 0));
  EXPECT_THAT(costs.dice.sizes(), ElementsAre(3, 0));
  EXPECT_THAT(ClassCost(at::zeros({3, 2}), at::zeros({0}, at::kLong)).sizes(),
              ElementsAre(3, 0));
}

TEST(MatchingCostsTest, RefusesOtherNumbersOfPoints) {
  EXPECT_THAT(
      [] {
        ComputeMaskCosts(at::zeros({3, 5}), at::zeros({2, 4}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("point_labels must have shape")));
}

}  // namespace
}  // namespace mask2former
