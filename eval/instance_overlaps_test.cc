#include "mask2former/eval/instance_overlaps.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Ten rows of 33 columns, no multiple of 4 or 8.
cv::Mat Picture() {
  cv::Mat picture(10, 33, CV_16UC1, cv::Scalar(7));
  picture.colRange(0, 5) = 26001;
  picture.colRange(5, 11) = 26;
  picture.colRange(11, 12) = 1;
  picture.colRange(12, 14) = 29000;
  picture.colRange(14, 15) = 30;
  picture.colRange(15, 18) = 24000;
  return picture;
}

cv::Mat Mask(int left, int right) {
  cv::Mat mask = cv::Mat::zeros(10, 33, CV_8UC1);
  mask.colRange(left, right) = 3;
  return mask;
}

absl::StatusOr<InstanceOverlaps> OverlapsOf(int label_id, const cv::Mat& mask) {
  absl::StatusOr<InstanceOverlaps> overlaps =
      InstanceOverlaps::Create(Picture());
  const absl::Status added = overlaps->Add(label_id, 0.5, mask);
  if (!added.ok()) return added;
  return overlaps;
}

TEST(InstanceOverlapsTest, FindsTheInstancesOfScoredClasses) {
  const auto overlaps = InstanceOverlaps::Create(Picture());
  ASSERT_THAT(overlaps, IsOk());
  ASSERT_EQ(overlaps->truths().size(), 3u);
  EXPECT_EQ(overlaps->truths()[0].value, 26);
  EXPECT_EQ(overlaps->truths()[0].pixels, 60);
  EXPECT_TRUE(overlaps->truths()[0].is_group());
  EXPECT_EQ(overlaps->truths()[1].value, 24000);
  EXPECT_EQ(overlaps->truths()[1].class_index, 0);
  EXPECT_FALSE(overlaps->truths()[1].is_group());
  EXPECT_EQ(overlaps->truths()[2].value, 26001);
  EXPECT_EQ(overlaps->truths()[2].pixels, 50);
}

TEST(InstanceOverlapsTest, CountsPixelsVoidAndOverlapsWithItsOwnClass) {
  const auto overlaps = OverlapsOf(26, Mask(3, 17));
  ASSERT_THAT(overlaps, IsOk());
  ASSERT_EQ(overlaps->predictions().size(), 1u);
  const PredictedInstance& car = overlaps->predictions()[0];
  EXPECT_EQ(car.class_index, 2);
  EXPECT_EQ(car.score, 0.5);
  EXPECT_EQ(car.pixels, 140);
  EXPECT_EQ(car.void_pixels, 20);  // Label ids 1 and 30, but not 29000.
  ASSERT_EQ(car.overlaps.size(), 2u);
  EXPECT_EQ(car.overlaps[0].truth, 0);
  EXPECT_EQ(car.overlaps[0].pixels, 60);
  EXPECT_EQ(car.overlaps[1].truth, 2);
  EXPECT_EQ(car.overlaps[1].pixels, 20);
}

TEST(InstanceOverlapsTest, CountsScatteredPixels) {
  cv::Mat mask = cv::Mat::zeros(10, 33, CV_8UC1);
  for (int y = 0; y < 10; ++y) {
    for (int x = y; x < 33; x += 3) mask.at<uint8_t>(y, x) = 1;
  }
  const auto overlaps = OverlapsOf(26, mask);
  ASSERT_THAT(overlaps, IsOk());
  const PredictedInstance& car = overlaps->predictions()[0];
  EXPECT_EQ(car.pixels, cv::countNonZero(mask));
  EXPECT_EQ(car.overlaps[0].pixels,
            cv::countNonZero(mask.colRange(5, 11).clone()));
}

// Pixels at all distances from the ends of what is skipped at once.
TEST(InstanceOverlapsTest, FindsSinglePixelsInWideMasks) {
  cv::Mat picture(1, 203, CV_16UC1, cv::Scalar(26001));
  picture.colRange(100, 203) = 26002;
  for (int x = 0; x < 203; ++x) {
    auto overlaps = InstanceOverlaps::Create(picture);
    cv::Mat mask = cv::Mat::zeros(1, 203, CV_8UC1);
    mask.at<uint8_t>(0, x) = 1;
    ASSERT_THAT(overlaps->Add(26, 0.5, mask), IsOk());
    ASSERT_EQ(overlaps->predictions().size(), 1u) << x;
    EXPECT_EQ(overlaps->predictions()[0].pixels, 1) << x;
    EXPECT_EQ(overlaps->predictions()[0].overlaps.at(0).truth, x < 100 ? 0 : 1)
        << x;
  }
}

TEST(InstanceOverlapsTest, LeavesOutEmptyMasksAndOtherClasses) {
  for (const int label_id : {-1, 7, 29, 26}) {
    const auto overlaps =
        OverlapsOf(label_id, label_id == 26 ? Mask(0, 0) : Mask(0, 9));
    ASSERT_THAT(overlaps, IsOk());
    EXPECT_TRUE(overlaps->predictions().empty()) << label_id;
  }
}

TEST(InstanceOverlapsTest, RejectsValuesWithoutClass) {
  for (const int value : {34, 255, 999, 34000, 65535}) {
    cv::Mat picture = Picture();
    picture.at<uint16_t>(4, 20) = static_cast<uint16_t>(value);
    EXPECT_THAT(InstanceOverlaps::Create(picture),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("value " + std::to_string(value)),
                               HasSubstr("1 pixels, first at row 4, column 20"),
                               HasSubstr("no class"))));
  }
  EXPECT_THAT(
      InstanceOverlaps::Create(cv::Mat(3, 3, CV_8UC1)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("16 bits")));
}

TEST(InstanceOverlapsTest, RejectsPredictionsThatCannotBeScored) {
  EXPECT_THAT(OverlapsOf(26, cv::Mat(10, 32, CV_8UC1)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("mask is 10 x 32"),
                             HasSubstr("ground truth 10 x 33"))));
  EXPECT_THAT(
      OverlapsOf(26, cv::Mat(10, 33, CV_32FC1)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("CV_32FC1")));
  EXPECT_THAT(
      OverlapsOf(34, Mask(0, 1)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("label id 34")));
  auto overlaps = InstanceOverlaps::Create(Picture());
  EXPECT_THAT(
      overlaps->Add(26, std::nan(""), Mask(0, 1)),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("finite")));
}

}  // namespace
}  // namespace mask2former
