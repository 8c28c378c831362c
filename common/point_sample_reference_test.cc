#include "mask2former/common/point_sample_reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "mask2former/common/testing/gradient_check.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Two images of one map, which is 0 .. 5 and ten times that.
torch::Tensor Maps() {
  const torch::Tensor map = torch::arange(6, torch::kDouble).view({1, 2, 3});
  return torch::stack({map, 10 * map});
}

// [1, 6, 2], the corners among them.
torch::Tensor Points() {
  return torch::tensor({0., 0., .5, .5, 1., 1., .25, .75, 1. / 6, .25, .9, .1},
                       torch::kDouble)
      .view({1, 6, 2});
}

// What these points read from the first map, by hand.
torch::Tensor Values() {
  return torch::tensor({0., 2.5, 1.25, 3.25, 0., 1.12}, torch::kDouble)
      .view({1, 1, 6});
}

TEST(PointSampleReferenceTest, ReadsWhatHandsDo) {
  const torch::Tensor maps = Maps();
  EXPECT_THAT(
      PointSampleReference(maps, std::nullopt, Points().expand({2, 6, 2})),
      TensorNear(torch::cat({Values(), 10 * Values()}), 1e-14, 0.));
  const torch::Tensor rows = torch::tensor({1, 0, 1}, torch::kLong);
  EXPECT_THAT(PointSampleReference(maps, rows, Points().expand({3, 6, 2})),
              TensorNear(torch::cat({10 * Values(), Values(), 10 * Values()}),
                         1e-13, 0.));
}

TEST(PointSampleReferenceTest, ReadsZerosForRowsThatDoNotExist) {
  const torch::Tensor rows = torch::tensor({-1, 0, 2}, torch::kLong);
  const torch::Tensor points = Points().expand({3, 6, 2});
  EXPECT_THAT(PointSampleReference(Maps(), rows, points),
              TensorNear(torch::cat({0 * Values(), Values(), 0 * Values()}),
                         1e-14, 0.));
  EXPECT_THAT(PointSampleReference(torch::ones({0, 1, 2, 3}), rows, points),
              TensorNear(torch::zeros({3, 1, 6}), 0., 0.));
}

TEST(PointSampleReferenceTest, ComputesInFloatButDoublesInDouble) {
  for (const torch::Dtype type :
       {torch::kBool, torch::kByte, torch::kHalf, torch::kFloat}) {
    EXPECT_EQ(PointSampleReference(Maps().to(type), std::nullopt,
                                   Points().expand({2, 6, 2}))
                  .scalar_type(),
              torch::kFloat);
  }
  EXPECT_EQ(PointSampleReference(Maps(), std::nullopt,
                                 Points().expand({2, 6, 2}).to(torch::kFloat))
                .scalar_type(),
            torch::kDouble);
}

TEST(PointSampleReferenceTest, GradientMatchesCentralDifferences) {
  const torch::Tensor rows = torch::tensor({1, 1, 7}, torch::kLong);
  const torch::Tensor points = Points().expand({3, 6, 2});
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<torch::Tensor>& x) {
        return PointSampleReference(x[0], rows, points);
      },
      {Maps()}));
  // Points are constants.
  EXPECT_FALSE(
      PointSampleReference(Maps(), std::nullopt,
                           Points().expand({2, 6, 2}).clone().requires_grad_())
          .requires_grad());
}

TEST(PointSampleReferenceTest, ChecksItsArguments) {
  EXPECT_THAT(
      [] { PointSampleReference(Maps(), std::nullopt, Points()); },
      ThrowsMessage<c10::Error>(HasSubstr("points must have shape [2, *, 2]")));
}

}  // namespace
}  // namespace mask2former
