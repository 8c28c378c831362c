#include "mask2former/matcher/build_matcher.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_points.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(BuildMatcherTest, BuildsTheKindThatIsSet) {
  const auto matcher = BuildMatcher(
      ParseTextProtoOrDie<MatcherConfig>("hungarian { num_points: 100 }"));
  ASSERT_THAT(matcher, IsOk());
  // Two queries, one of which says the only target.
  const MaskPrediction prediction = {
      at::zeros({1, 2, 3}), at::tensor({-4.f, 4.f}).view({1, 2, 1, 1})};
  const MaskTarget target = {at::zeros({1}, at::kLong),
                             at::ones({1, 4, 4}, at::kBool)};
  ReferencePointSource points;
  const auto assignments = (*matcher)->Match(prediction, {target}, points);
  ASSERT_THAT(assignments, IsOk());
  EXPECT_THAT((*assignments)[0].queries, ElementsAre(1));
  EXPECT_THAT((*assignments)[0].targets, ElementsAre(0));
}

TEST(BuildMatcherTest, RefusesNoKindAndBadSettings) {
  EXPECT_THAT(BuildMatcher(MatcherConfig()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("matcher: set hungarian")));
  EXPECT_THAT(BuildMatcher(ParseTextProtoOrDie<MatcherConfig>(
                  "hungarian { num_points: -1 }")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("num_points must be positive, got -1")));
}

}  // namespace
}  // namespace mask2former
