#include "mask2former/train/criterion/point_losses.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/gradient_check.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(PointLossesTest, HaveTheReferenceValues) {
  const at::Tensor logits =
      at::tensor({2., -1., .5, -3., -2., 1., 0., 4.}).view({2, 4});
  const at::Tensor labels =
      at::tensor({1., 0., 1., 0., 0., .25, .5, 1.}).view({2, 4});
  EXPECT_NEAR(CrossEntropyOfPoints(logits, labels).item<double>() / 2, 0.358043,
              1e-6);
  EXPECT_NEAR(DiceOfPoints(logits, labels).item<double>() / 2, 0.207598, 1e-6);
}

TEST(PointLossesTest, GradientsMatchCentralDifferences) {
  const at::Tensor logits =
      12 * ReferenceUniform("logits", 3 * 7).view({3, 7}) - 6;
  const at::Tensor labels = ReferenceUniform("labels", 3 * 7).view({3, 7});
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<at::Tensor>& x) {
        return CrossEntropyOfPoints(x[0], labels);
      },
      {logits}));
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<at::Tensor>& x) {
        return DiceOfPoints(x[0], labels);
      },
      {logits}));
}

TEST(PointLossesTest, NoMasksCostNothingAndStayConnected) {
  const at::Tensor logits = at::zeros({0, 5}).requires_grad_();
  const at::Tensor labels = at::zeros({0, 5});
  const at::Tensor loss =
      CrossEntropyOfPoints(logits, labels) + DiceOfPoints(logits, labels);
  EXPECT_EQ(loss.item<float>(), 0);
  loss.backward();
  EXPECT_TRUE(logits.grad().defined());
}

TEST(PointLossesTest, CertainAndRightCostsNothing) {
  const at::Tensor labels = at::tensor({1.f, 0.f, 1.f}).view({1, 3});
  const at::Tensor logits = 2000 * labels - 1000;
  EXPECT_EQ(CrossEntropyOfPoints(logits, labels).item<float>(), 0);
  EXPECT_EQ(DiceOfPoints(logits, labels).item<float>(), 0);
}

TEST(PointLossesTest, RefusesLabelsOfAnotherShape) {
  EXPECT_THAT(
      [] {
        CrossEntropyOfPoints(at::zeros({2, 3}), at::zeros({1, 3}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("labels must have shape")));
  EXPECT_THAT(
      [] {
        DiceOfPoints(at::zeros({2, 3}), at::zeros({1, 3}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("labels must have shape")));
}

}  // namespace
}  // namespace mask2former
