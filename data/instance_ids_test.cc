#include "mask2former/data/instance_ids.h"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

auto IsSegment(int64_t id, int64_t class_id, bool is_crowd) {
  return AllOf(Field(&Segment::id, id), Field(&Segment::class_id, class_id),
               Field(&Segment::is_crowd, is_crowd));
}

// Road, a wall of "guard rail", a car, a group of people, a caravan, sky.
cv::Mat Ids() {
  cv::Mat ids(4, 6, CV_16UC1, cv::Scalar(7));
  ids.row(0).setTo(23);
  ids(cv::Rect(0, 1, 2, 2)).setTo(26013);
  ids(cv::Rect(2, 1, 2, 2)).setTo(24);
  ids(cv::Rect(4, 1, 1, 2)).setTo(29000);
  ids.at<uint16_t>(1, 5) = 14;
  return ids;
}

TEST(PanopticSegmentsTest, KeepsWhatIsEvaluated) {
  const auto picture = PanopticSegments(Ids(), "ids.png");
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(
      picture->segments,
      ElementsAre(IsSegment(7, 0, false), IsSegment(23, 10, false),
                  IsSegment(24, 11, true), IsSegment(26013, 13, false)));
  ASSERT_EQ(picture->map.type(), CV_16UC1);
  EXPECT_EQ(picture->map.at<uint16_t>(3, 0), 1);
  EXPECT_EQ(picture->map.at<uint16_t>(0, 5), 2);
  EXPECT_EQ(picture->map.at<uint16_t>(2, 3), 3);
  EXPECT_EQ(picture->map.at<uint16_t>(2, 1), 4);
  EXPECT_EQ(picture->map.at<uint16_t>(1, 4), 0);  // Caravan.
  EXPECT_EQ(picture->map.at<uint16_t>(1, 5), 0);  // Guard rail.
}

TEST(ThingSegmentsTest, KeepsThingsWithContiguousClasses) {
  const auto picture = ThingSegments(Ids(), "ids.png");
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->segments,
              ElementsAre(IsSegment(24, 0, true), IsSegment(26013, 2, false)));
  EXPECT_EQ(cv::countNonZero(picture->map), 8);
  EXPECT_EQ(picture->map.at<uint16_t>(1, 0), 2);
}

TEST(ThingSegmentsTest, DropsWhatIsOnePixelWideOrHigh) {
  cv::Mat ids = Ids();
  ids(cv::Rect(0, 3, 6, 1)).setTo(25000);
  ids(cv::Rect(5, 0, 1, 3)).setTo(33002);
  const auto picture = ThingSegments(ids, "ids.png");
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->segments,
              ElementsAre(IsSegment(24, 0, true), IsSegment(26013, 2, false)));
  EXPECT_EQ(picture->map.at<uint16_t>(3, 0), 0);
  EXPECT_EQ(picture->map.at<uint16_t>(1, 0), 2);
  // The panoptic task keeps them; the road is covered.
  EXPECT_EQ(PanopticSegments(ids, "ids.png")->segments.size(), 5u);
}

TEST(ThingSegmentsTest, APictureWithoutThings) {
  const auto picture =
      ThingSegments(cv::Mat(4, 6, CV_16UC1, cv::Scalar(7)), "ids.png");
  ASSERT_THAT(picture, IsOk());
  EXPECT_THAT(picture->segments, IsEmpty());
  EXPECT_EQ(cv::countNonZero(picture->map), 0);
}

TEST(InstanceIdsTest, NamesIdsOfNoLabel) {
  cv::Mat ids = Ids();
  ids.at<uint16_t>(0, 0) = 34;
  ids.at<uint16_t>(0, 1) = 40001;
  for (const auto segments : {PanopticSegments, ThingSegments}) {
    EXPECT_THAT(segments(ids, "ids.png"),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("ids.png holds instance ids of no "
                                         "label: 34, 40001;"),
                               HasSubstr("label id * 1000"))));
  }
}

TEST(InstanceIdsTest, RefusesOtherTypes) {
  EXPECT_THROW(
      (void)PanopticSegments(cv::Mat(4, 6, CV_8UC1, cv::Scalar(7)), "ids.png"),
      c10::Error);
}

}  // namespace
}  // namespace mask2former
