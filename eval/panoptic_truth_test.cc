#include "mask2former/eval/panoptic_truth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

TEST(PanopticTruthTest, MakesTheSegmentsOfTheWorkedExample) {
  const auto truth = PanopticTruth(WorkedExample()[0].instances);
  ASSERT_THAT(truth, IsOk());
  struct Segment {
    int id, category, area, crowd;
  };
  const Segment expected[] = {{7, 7, 2531, 0},     {23, 23, 4001, 0},
                              {26, 26, 200, 1},    {24000, 24, 100, 0},
                              {26000, 26, 480, 0}, {26001, 26, 200, 0},
                              {26002, 26, 48, 0}};
  ASSERT_EQ(truth->segments.size(), 7u);
  for (int i = 0; i < 7; ++i) {
    const PanopticSegment& segment = truth->segments[i];
    EXPECT_EQ(segment.id, expected[i].id);
    EXPECT_EQ(segment.category_id, expected[i].category);
    EXPECT_EQ(segment.area, expected[i].area);
    EXPECT_EQ(segment.is_crowd, expected[i].crowd == 1);
    EXPECT_EQ(cv::countNonZero(truth->ids == segment.id), segment.area);
  }
  EXPECT_EQ(truth->ids.at<int32_t>(45, 115), 0);  // A caravan.
}

TEST(PanopticTruthTest, RejectsValuesWithoutClass) {
  EXPECT_THAT(PanopticTruth(cv::Mat(2, 2, CV_16UC1, cv::Scalar(34000))),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("value 34000 at 4 pixels")));
  EXPECT_THAT(
      PanopticTruth(cv::Mat(2, 2, CV_8UC1)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("16 bits")));
}

}  // namespace
}  // namespace mask2former
