#include "mask2former/train/criterion/set_criterion.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "mask2former/common/testing/gradient_check.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_points.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

SetCriterion MakeCriterion(const std::string& config) {
  return *SetCriterion::Create(ParseTextProtoOrDie<CriterionConfig>(config));
}

LayerLosses Compute(const std::string& config, const MaskPrediction& prediction,
                    const std::vector<MaskTarget>& targets,
                    const std::vector<Assignment>& assignments,
                    const LossNormalizer& normalizer = {}) {
  ReferencePointSource points;
  return MakeCriterion(config).Compute(prediction, targets, assignments,
                                       normalizer, points);
}

MaskTarget Target(const std::vector<int64_t>& labels, const at::Tensor& masks) {
  return {at::tensor(labels, at::kLong), masks};
}

MaskTarget NoTarget(int64_t height, int64_t width) {
  return Target({}, at::zeros({0, height, width}, at::kBool));
}

TEST(SetCriterionTest, ClassLossIsTheWeightedMean) {
  // Probabilities 1/8, 5/8, 2/8 for every query; the last is "no object".
  const MaskPrediction prediction = {
      at::tensor({1.f, 5.f, 2.f}).log().repeat({2, 2, 1}),
      at::zeros({2, 2, 2, 2})};
  const std::vector<MaskTarget> targets = {
      Target({0, 1}, at::ones({2, 8, 8}, at::kBool)),
      Target({1}, at::ones({1, 8, 8}, at::kBool))};
  const std::vector<Assignment> assignments = {{{0, 1}, {1, 0}}, {{1}, {0}}};
  const double expected =
      (std::log(8. / 5) + std::log(8.) + std::log(8. / 5) + .1 * std::log(4.)) /
      3.1;
  EXPECT_NEAR(Compute("num_points: 20", prediction, targets, assignments,
                      NormalizeByBatch({2, 1}, 2, .1))
                  .ce.item<double>(),
              expected, 1e-6);
}

TEST(SetCriterionTest, MaskLossesOfConstantMasks) {
  // Logits 1 everywhere, also outside: the maps have one pixel, and points
  // near the border would see less of it. Points in the middle only.
  class Middle final : public PointSource {
   public:
    at::Tensor Draw(int64_t n, int64_t t) override {
      return at::full({n, t, 2}, .5f);
    }
  } points;
  const MaskPrediction prediction = {at::zeros({1, 3, 3}),
                                     at::ones({1, 3, 2, 2})};
  at::Tensor masks = at::zeros({2, 8, 8}, at::kBool);
  masks[0].fill_(true);
  const LayerLosses losses =
      MakeCriterion("num_points: 20")
          .Compute(prediction, {Target({0, 1}, masks)}, {{{0, 2}, {1, 0}}},
                   {/*num_masks=*/4,
                    /*class_weight_sum=*/1},
                   points);
  const double softplus = std::log(1 + std::exp(1.));
  const double s = 1 / (1 + std::exp(-1.));
  EXPECT_NEAR(losses.mask.item<double>(), (softplus + softplus - 1) / 4, 1e-6);
  EXPECT_NEAR(losses.dice.item<double>(),
              (1 - 1 / (20 * s + 1) + 1 - (40 * s + 1) / (20 * s + 21)) / 4,
              1e-6);
}

TEST(SetCriterionTest, GradientsMatchCentralDifferences) {
  const std::vector<MaskTarget> targets = {
      Target({1, 0}, ReferenceUniform("masks", 2 * 6 * 6).view({2, 6, 6}) > .5),
      Target({1}, at::ones({1, 6, 6}, at::kBool))};
  const std::vector<Assignment> assignments = {{{0, 2}, {1, 0}}, {{1}, {0}}};
  const LossNormalizer normalizer = NormalizeByBatch({2, 1}, 3, .1);
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<at::Tensor>& x) {
        const LayerLosses losses = Compute("num_points: 16", {x[0], x[1]},
                                           targets, assignments, normalizer);
        return at::stack({losses.ce, losses.mask, losses.dice});
      },
      {4 * ReferenceUniform("class", 2 * 3 * 3).view({2, 3, 3}) - 2,
       8 * ReferenceUniform("mask", 2 * 3 * 9).view({2, 3, 3, 3}) - 4}));
}

TEST(SetCriterionTest, WithoutTargetsOnlyTheClassLossActs) {
  const MaskPrediction prediction = {at::zeros({2, 3, 5}).requires_grad_(),
                                     at::ones({2, 3, 4, 4}).requires_grad_()};
  const LayerLosses losses = Compute("num_points: 20", prediction,
                                     {NoTarget(16, 16), NoTarget(16, 16)},
                                     {{}, {}}, NormalizeByBatch({0, 0}, 3, .1));
  EXPECT_EQ(losses.mask.item<float>(), 0);
  EXPECT_EQ(losses.dice.item<float>(), 0);
  EXPECT_NEAR(losses.ce.item<double>(), std::log(5.), 1e-6);
  MakeCriterion("").Total(losses).backward();
  ASSERT_TRUE(prediction.mask_logits.grad().defined());
  EXPECT_THAT(prediction.mask_logits.grad(),
              TensorNear(at::zeros({2, 3, 4, 4}), /*atol=*/0., /*rtol=*/0.));
  // Less "no object" raises the loss, more of any class, too.
  EXPECT_LT(prediction.class_logits.grad().select(2, 4).max().item<float>(), 0);
  EXPECT_GT(prediction.class_logits.grad().narrow(2, 0, 4).min().item<float>(),
            0);
}

TEST(SetCriterionTest, OnlyMatchedMasksHaveGradient) {
  const MaskPrediction prediction = {at::zeros({1, 3, 3}),
                                     at::ones({1, 3, 4, 4}).requires_grad_()};
  const LayerLosses losses =
      Compute("num_points: 200", prediction,
              {Target({0}, at::zeros({1, 16, 16}, at::kBool))}, {{{1}, {0}}});
  (losses.mask + losses.dice).backward();
  const at::Tensor gradient = prediction.mask_logits.grad()[0];
  EXPECT_EQ(gradient[0].abs().sum().item<float>(), 0);
  EXPECT_GT(gradient[1].min().item<float>(), 0);
  EXPECT_EQ(gradient[2].abs().sum().item<float>(), 0);
}

TEST(SetCriterionTest, HalfPrecisionIsComputedInFloat) {
  const MaskPrediction prediction = {
      at::zeros({1, 2, 3}, at::kBFloat16).requires_grad_(),
      at::full({1, 2, 4, 4}, 2., at::kBFloat16).requires_grad_()};
  const std::vector<MaskTarget> targets = {
      Target({0}, at::ones({1, 16, 16}, at::kBool))};
  const LayerLosses losses =
      Compute("num_points: 64", prediction, targets, {{{1}, {0}}});
  const LayerLosses in_float =
      Compute("num_points: 64",
              {prediction.class_logits.detach().to(at::kFloat),
               prediction.mask_logits.detach().to(at::kFloat)},
              targets, {{{1}, {0}}});
  EXPECT_EQ(losses.mask.scalar_type(), at::kFloat);
  EXPECT_NEAR(losses.ce.item<double>(), in_float.ce.item<double>(), 1e-6);
  EXPECT_NEAR(losses.mask.item<double>(), in_float.mask.item<double>(), 1e-6);
  EXPECT_NEAR(losses.dice.item<double>(), in_float.dice.item<double>(), 1e-6);
  MakeCriterion("").Total(losses).backward();
  EXPECT_EQ(prediction.mask_logits.grad().scalar_type(), at::kBFloat16);
}

TEST(SetCriterionTest, TotalWeighsTheTerms) {
  const LayerLosses losses = {at::tensor(1.), at::tensor(10.),
                              at::tensor(100.)};
  EXPECT_DOUBLE_EQ(MakeCriterion("").Total(losses).item<double>(), 552);
  EXPECT_DOUBLE_EQ(
      MakeCriterion("class_weight: 3 mask_weight: 0.5 dice_weight: 0")
          .Total(losses)
          .item<double>(),
      8);
}

TEST(SetCriterionTest, HasThePapersDefaults) {
  const CriterionConfig config;
  EXPECT_EQ(config.no_object_weight(), 0.1);
  EXPECT_EQ(config.class_weight(), 2);
  EXPECT_EQ(config.mask_weight(), 5);
  EXPECT_EQ(config.dice_weight(), 5);
  EXPECT_EQ(config.num_points(), 112 * 112);
  EXPECT_EQ(config.oversample_ratio(), 3);
  EXPECT_EQ(config.importance_sample_ratio(), 0.75);
  EXPECT_TRUE(config.deep_supervision());
}

TEST(SetCriterionTest, RefusesSettingsOutOfRange) {
  const auto refuses = [](const std::string& config,
                          const std::string& message) {
    EXPECT_THAT(
        SetCriterion::Create(ParseTextProtoOrDie<CriterionConfig>(config))
            .status(),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  };
  refuses("no_object_weight: 0", "no_object_weight must be positive, got 0");
  refuses("class_weight: -1", "class_weight must be at least 0");
  refuses("mask_weight: inf", "mask_weight must be at least 0 and finite");
  refuses("dice_weight: nan", "dice_weight must be at least 0");
  refuses("num_points: 0", "num_points must be positive, got 0");
  refuses("oversample_ratio: 0.5", "oversample_ratio must be at least 1");
  refuses("importance_sample_ratio: 1.5",
          "importance_sample_ratio must be in 0..1, got 1.5");
}

TEST(SetCriterionTest, RefusesAssignmentsThatDoNotFit) {
  const MaskPrediction prediction = {at::zeros({1, 2, 3}),
                                     at::zeros({1, 2, 4, 4})};
  const std::vector<MaskTarget> targets = {
      Target({0}, at::ones({1, 16, 16}, at::kBool))};
  const auto refuses = [&](const std::vector<Assignment>& assignments,
                           const std::string& message) {
    EXPECT_THAT([&] { Compute("", prediction, targets, assignments); },
                ThrowsMessage<c10::Error>(HasSubstr(message)));
  };
  refuses({}, "there must be 1 assignments, one per image, got 0");
  refuses({{{0}, {}}}, "assignment has 1 queries and 0 targets");
  refuses({{{2}, {0}}}, "image 0 has no query 2");
  refuses({{{0}, {1}}}, "no target 1");
}

}  // namespace
}  // namespace mask2former
