#include "mask2former/common/testing/reference_values.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mask2former {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

TEST(ReferenceValuesTest, UniformMatchesThePublishedNumbers) {
  const at::Tensor u = ReferenceUniform("abc", 4);
  EXPECT_NEAR(u[0].item<double>(), 0.54014719, 1e-8);
  EXPECT_NEAR(u[1].item<double>(), 0.55380571, 1e-8);
  EXPECT_NEAR(u[2].item<double>(), 0.99158669, 1e-8);
  EXPECT_NEAR(u[3].item<double>(), 0.24978691, 1e-8);
}

TEST(ReferenceValuesTest, ImageMatchesThePublishedNumbers) {
  const at::Tensor image = ReferenceImage("image0", 90, 150).view(-1);
  EXPECT_EQ(image[0].item<int>(), 133);
  EXPECT_EQ(image[1].item<int>(), 123);
  EXPECT_EQ(image[2].item<int>(), 5);
  EXPECT_EQ(image[3].item<int>(), 110);
  EXPECT_NEAR(image.to(at::kDouble).mean().item<double>(), 127.138494, 1e-6);
}

TEST(ReferenceValuesTest, StatisticsReadFirstMiddleLast) {
  EXPECT_THAT(
      Statistics(at::tensor({-1., 2., 3., -4., 10.})),
      ElementsAre(DoubleNear(2, 1e-12), DoubleNear(4, 1e-12), -1, 3, 10));
}

}  // namespace
}  // namespace mask2former
