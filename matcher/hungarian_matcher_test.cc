#include "mask2former/matcher/hungarian_matcher.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_points.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kHeight = 8;
constexpr int64_t kWidth = 16;

std::unique_ptr<HungarianMatcher> MakeMatcher(const std::string& config) {
  return *HungarianMatcher::Create(
      ParseTextProtoOrDie<HungarianMatcherConfig>(config));
}

// Row `row` of the map is inside.
at::Tensor RowMask(int64_t row) {
  at::Tensor mask = at::zeros({kHeight, kWidth}, at::kBool);
  mask[row].fill_(true);
  return mask;
}

MaskTarget RowTargets(const std::vector<int64_t>& labels,
                      const std::vector<int64_t>& rows) {
  at::Tensor masks = at::zeros(
      {static_cast<int64_t>(rows.size()), kHeight, kWidth}, at::kBool);
  for (size_t i = 0; i < rows.size(); ++i) masks[i].copy_(RowMask(rows[i]));
  return {at::tensor(labels, at::kLong), masks};
}

// Of `images` images: query q of each says row q, and class q mod 3 of 3.
MaskPrediction RowPrediction(int64_t images, int64_t queries) {
  MaskPrediction prediction = {
      at::zeros({images, queries, 4}),
      at::full({images, queries, kHeight, kWidth}, -5.)};
  for (int64_t q = 0; q < queries; ++q) {
    prediction.class_logits.select(1, q).select(1, q % 3).fill_(3);
    prediction.mask_logits.select(1, q).masked_fill_(RowMask(q), 5);
  }
  return prediction;
}

TEST(HungarianMatcherTest, FindsTheQueriesThatSayTheTargets) {
  ReferencePointSource points;
  const auto assignments =
      MakeMatcher("num_points: 400")
          ->Match(RowPrediction(2, 5),
                  {RowTargets({1, 0, 2}, {4, 0, 2}), RowTargets({0}, {3})},
                  points);
  ASSERT_THAT(assignments, IsOk());
  ASSERT_EQ(assignments->size(), 2u);
  EXPECT_THAT((*assignments)[0].queries, ElementsAre(0, 2, 4));
  EXPECT_THAT((*assignments)[0].targets, ElementsAre(1, 2, 0));
  EXPECT_THAT((*assignments)[1].queries, ElementsAre(3));
  EXPECT_THAT((*assignments)[1].targets, ElementsAre(0));
}

TEST(HungarianMatcherTest, WeightsDecideBetweenClassAndMask) {
  // The target has the mask of query 0 and the class of query 1.
  const auto best = [](const std::string& config) {
    ReferencePointSource points;
    const auto assignments =
        MakeMatcher(config + " num_points: 400")
            ->Match(RowPrediction(1, 3), {RowTargets({1}, {0})}, points);
    return assignments->at(0).queries.at(0);
  };
  EXPECT_EQ(best(""), 0);
  EXPECT_EQ(best("mask_weight: 0 dice_weight: 0"), 1);
  EXPECT_EQ(best("mask_weight: 0"), 0);
  EXPECT_EQ(best("dice_weight: 0"), 0);
  EXPECT_EQ(best("class_weight: 100"), 1);
}

TEST(HungarianMatcherTest, DrawsForEveryImageAlsoWithoutTargets) {
  ReferencePointSource points;
  const auto assignments =
      MakeMatcher("num_points: 400")
          ->Match(
              RowPrediction(3, 4),
              {RowTargets({}, {}), RowTargets({0}, {3}), RowTargets({}, {})},
              points);
  ASSERT_THAT(assignments, IsOk());
  EXPECT_EQ(points.num_draws(), 3);
  EXPECT_THAT((*assignments)[0].queries, IsEmpty());
  EXPECT_THAT((*assignments)[1].queries, ElementsAre(3));
  EXPECT_THAT((*assignments)[2].targets, IsEmpty());
}

TEST(HungarianMatcherTest, MoreTargetsThanQueries) {
  ReferencePointSource points;
  const auto assignments =
      MakeMatcher("num_points: 400")
          ->Match(RowPrediction(1, 2), {RowTargets({0, 1, 1, 0}, {5, 1, 6, 0})},
                  points);
  ASSERT_THAT(assignments, IsOk());
  EXPECT_THAT((*assignments)[0].queries, ElementsAre(0, 1));
  EXPECT_THAT((*assignments)[0].targets, ElementsAre(3, 1));
}

TEST(HungarianMatcherTest, TargetsMayHaveAnotherResolution) {
  MaskTarget target = RowTargets({0, 1}, {3, 1});
  target.masks = target.masks.repeat_interleave(4, 1).repeat_interleave(4, 2);
  ReferencePointSource points;
  const auto assignments = MakeMatcher("num_points: 400")
                               ->Match(RowPrediction(1, 5), {target}, points);
  ASSERT_THAT(assignments, IsOk());
  EXPECT_THAT((*assignments)[0].queries, ElementsAre(1, 3));
  EXPECT_THAT((*assignments)[0].targets, ElementsAre(1, 0));
}

TEST(HungarianMatcherTest, NamesTheCostThatIsNotFinite) {
  const std::unique_ptr<HungarianMatcher> matcher =
      MakeMatcher("num_points: 400");
  const std::vector<MaskTarget> targets = {RowTargets({0}, {0}),
                                           RowTargets({1, 2}, {1, 2})};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const auto match = [&](const MaskPrediction& prediction) {
    ReferencePointSource points;
    return matcher->Match(prediction, targets, points);
  };

  for (const float bad : {nan, infinity, -infinity}) {
    MaskPrediction prediction = RowPrediction(2, 4);
    prediction.mask_logits[1][2].fill_(bad);
    EXPECT_THAT(match(prediction),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("image 1: the mask cost of query 2 "
                                         "(row) and target 0 (column) is "),
                               HasSubstr("mask logits are not finite"))));
  }

  MaskPrediction prediction = RowPrediction(2, 4);
  prediction.class_logits[1][3][2].fill_(nan);
  EXPECT_THAT(match(prediction),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("image 1: the class cost of query 3 "
                                       "(row) and target 0 (column) is nan"),
                             HasSubstr("class logits are not finite"))));
}

TEST(HungarianMatcherTest, HasThePapersDefaults) {
  const HungarianMatcherConfig config;
  EXPECT_EQ(config.class_weight(), 2);
  EXPECT_EQ(config.mask_weight(), 5);
  EXPECT_EQ(config.dice_weight(), 5);
  EXPECT_EQ(config.num_points(), 112 * 112);
}

TEST(HungarianMatcherTest, RefusesSettingsOutOfRange) {
  const auto refuses = [](const std::string& config,
                          const std::string& message) {
    EXPECT_THAT(
        HungarianMatcher::Create(
            ParseTextProtoOrDie<HungarianMatcherConfig>(config)),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)));
  };
  refuses("class_weight: -1",
          "class_weight must be at least 0 and finite, got -1");
  refuses("mask_weight: inf",
          "mask_weight must be at least 0 and finite, got inf");
  refuses("dice_weight: nan",
          "dice_weight must be at least 0 and finite, got nan");
  refuses("class_weight: 0 mask_weight: 0 dice_weight: 0", "must be positive");
  refuses("num_points: 0", "num_points must be positive, got 0");
}

}  // namespace
}  // namespace mask2former
