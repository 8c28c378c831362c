#include "mask2former/train/criterion/uncertain_points.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "mask2former/common/testing/reference_points.h"
#include "mask2former/common/testing/reference_values.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

// x coordinates of a set of points.
std::vector<float> Columns(const at::Tensor& points) {
  const at::Tensor x = points.select(1, 0).contiguous();
  return {x.const_data_ptr<float>(), x.const_data_ptr<float>() + x.numel()};
}

// Draws `first`, then `second`.
class TwoDraws final : public PointSource {
 public:
  TwoDraws(at::Tensor first, at::Tensor second)
      : draws_{std::move(first), std::move(second)} {}

  at::Tensor Draw(int64_t n, int64_t t) override {
    const at::Tensor draw = draws_.at(count_++);
    EXPECT_THAT(draw.sizes(), ElementsAre(n, t, 2));
    return draw;
  }

 private:
  std::vector<at::Tensor> draws_;
  size_t count_ = 0;
};

TEST(UncertainPointsTest, KeepsThePointsNearestToZero) {
  // Columns of logits: map 0 crosses zero between columns 1 and 2, map 1 on
  // the right. Only the pixels' centres in the middle row are looked at.
  at::Tensor logits = at::zeros({2, 3, 8});
  logits[0].copy_(at::tensor({-9.f, -2.f, 1.f, 5.f, 6.f, 7.f, 8.f, 9.f}));
  logits[1].copy_(at::tensor({9.f, 8.f, 7.f, 6.f, 5.f, 4.f, -.5f, .25f}));
  const at::Tensor centres =
      at::stack({(at::arange(8) + .5) / 8, at::full({8}, .5)}, 1);
  const at::Tensor uniform = at::full({2, 1, 2}, .125);
  TwoDraws points(centres.repeat({2, 1, 1}), uniform);
  const at::Tensor chosen =
      SampleUncertainPoints(logits, at::tensor({1, 0}, at::kLong),
                            {/*num_points=*/4, /*oversample_ratio=*/2,
                             /*importance_sample_ratio=*/.75},
                            points);
  ASSERT_THAT(chosen.sizes(), ElementsAre(2, 4, 2));
  const auto nearest = [&](int64_t row) {
    std::vector<float> x = Columns(chosen[row].narrow(0, 0, 3));
    std::sort(x.begin(), x.end());
    return x;
  };
  EXPECT_THAT(nearest(0), ElementsAre(5.5f / 8, 6.5f / 8, 7.5f / 8));
  EXPECT_THAT(nearest(1), ElementsAre(1.5f / 8, 2.5f / 8, 3.5f / 8));
  EXPECT_TRUE(at::equal(chosen.narrow(1, 3, 1), uniform));
}

TEST(UncertainPointsTest, NoPointLeftOutIsMoreUncertain) {
  const at::Tensor logits =
      (2 * ReferenceUniform("logits", 3 * 20 * 20).view({3, 20, 20}) - 1)
          .to(at::kFloat);
  const at::Tensor rows = at::arange(3, at::kLong);
  ReferencePointSource points;
  const at::Tensor chosen = SampleUncertainPoints(logits, rows, {}, points);
  EXPECT_EQ(points.num_draws(), 2);
  ASSERT_THAT(chosen.sizes(), ElementsAre(3, 12544, 2));
  const auto distances = [&](const at::Tensor& at_points) {
    return at::grid_sampler(logits.unsqueeze(1), 2 * at_points.unsqueeze(1) - 1,
                            0, 0, false)
        .flatten(1)
        .abs();
  };
  ReferencePointSource again;
  const at::Tensor all =
      std::get<0>(distances(again.Draw(3, 37632)).sort(/*dim=*/1));
  const at::Tensor kept =
      std::get<0>(distances(chosen.narrow(1, 0, 9408)).sort(/*dim=*/1));
  EXPECT_TRUE(at::allclose(kept, all.narrow(1, 0, 9408), 0, 1e-6));
  EXPECT_TRUE(at::equal(chosen.narrow(1, 9408, 3136), again.Draw(3, 3136)));
}

TEST(UncertainPointsTest, EquallyUncertainPointsAreStillSoMany) {
  // One logit everywhere, seen in full at the points of the inner half.
  const at::Tensor logits = at::full({1, 4, 4}, -3.f);
  const at::Tensor inner = .5 * ReferenceUniform("points", 60) + .25;
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    TwoDraws points(inner.to(at::kFloat).view({1, 30, 2}),
                    at::zeros({1, 4, 2}));
    const at::Tensor chosen = SampleUncertainPoints(
        logits.to(type), at::zeros({1}, at::kLong), {10, 3, .6}, points);
    ASSERT_THAT(chosen.sizes(), ElementsAre(1, 10, 2));
    EXPECT_GE(chosen.narrow(1, 0, 6).min().item<float>(), .25);
    // All different.
    EXPECT_EQ(
        std::get<0>(at::_unique(chosen.narrow(1, 0, 6).select(2, 0))).numel(),
        6);
  }
}

TEST(UncertainPointsTest, NanIsLeastUncertain) {
  at::Tensor logits = at::full({1, 1, 2}, 9.f);
  logits[0][0][0].fill_(std::numeric_limits<float>::quiet_NaN());
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    TwoDraws points(at::tensor({.25f, .5f, .25f, .5f, .75f, .5f, .25f, .5f})
                        .view({1, 4, 2}),
                    at::zeros({1, 1, 2}));
    const at::Tensor chosen = SampleUncertainPoints(
        logits.to(type), at::zeros({1}, at::kLong), {2, 2, .5}, points);
    EXPECT_EQ(chosen[0][0][0].item<float>(), .75f);
  }
}

TEST(UncertainPointsTest, DrawsOnceIfAllPointsAreChosen) {
  ReferencePointSource points;
  const at::Tensor chosen = SampleUncertainPoints(
      at::ones({1, 4, 4}), at::zeros({1}, at::kLong), {10, 3, 1}, points);
  EXPECT_THAT(chosen.sizes(), ElementsAre(1, 10, 2));
  EXPECT_EQ(points.num_draws(), 1);
}

TEST(UncertainPointsTest, DrawsUniformlyIfNoneIsChosen) {
  ReferencePointSource points;
  const at::Tensor chosen = SampleUncertainPoints(
      at::ones({1, 4, 4}), at::zeros({1}, at::kLong), {10, 3, 0}, points);
  EXPECT_TRUE(at::equal(chosen.flatten(),
                        ReferenceUniform("rand1", 20).to(at::kFloat)));
}

TEST(UncertainPointsTest, AcceptsNoMasksAndHasNoGradient) {
  ReferencePointSource points;
  const at::Tensor logits = at::ones({2, 4, 4}).requires_grad_();
  EXPECT_THAT(SampleUncertainPoints(logits, at::zeros({0}, at::kLong),
                                    {10, 3, .5}, points)
                  .sizes(),
              ElementsAre(0, 10, 2));
  EXPECT_EQ(points.num_draws(), 2);
  EXPECT_FALSE(SampleUncertainPoints(logits, at::zeros({1}, at::kLong),
                                     {10, 3, .5}, points)
                   .requires_grad());
}

}  // namespace
}  // namespace mask2former
