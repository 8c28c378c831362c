#include "mask2former/data/polygons/coco_fill.h"

#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>

#include "mask2former/data/sample_random.h"
#include "mask2former/data/testing/golden_checksums.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// As in tools/goldens/data_tasks.py: some vertices lie outside the picture, on
// borders of pixels, or on each other.
Polygon RandomPolygon(SampleRandom& random) {
  Polygon polygon(random.Integer(3, 12));
  const bool on_lattice = random.Coin();
  for (cv::Point2d& p : polygon) {
    p.x = random.Uniform(-10, 74);
    p.y = random.Uniform(-10, 58);
    if (on_lattice) p = {std::floor(p.x), std::floor(p.y) + 0.5};
  }
  return polygon;
}

TEST(FillCocoPolygonTest, EqualsPycocotools) {
  for (int i = 0; i < 300; ++i) {
    SampleRandom random(11, i);
    cv::Mat mask = cv::Mat::zeros(48, 64, CV_8UC1);
    FillCocoPolygon(RandomPolygon(random), mask);
    ASSERT_EQ(Checksum(mask),
              GoldenChecksum("coco polygon " + std::to_string(i)))
        << i;
  }
}

TEST(FillCocoPolygonTest, EqualsMergeForSeveralPolygons) {
  for (int i = 0; i < 40; ++i) {
    SampleRandom random(12, i);
    cv::Mat mask = cv::Mat::zeros(48, 64, CV_8UC1);
    for (int j = 0; j < 3; ++j) FillCocoPolygon(RandomPolygon(random), mask);
    ASSERT_EQ(Checksum(mask), GoldenChecksum("coco union " + std::to_string(i)))
        << i;
  }
}

TEST(FillCocoPolygonTest, FillsPixelsWhoseCentreIsInside) {
  cv::Mat mask = cv::Mat::zeros(10, 12, CV_8UC1);
  FillCocoPolygon({{2, 3}, {7, 3}, {7, 8}, {2, 8}}, mask);
  EXPECT_EQ(cv::countNonZero(mask), 25);
  EXPECT_EQ(cv::countNonZero(mask(cv::Rect(2, 3, 5, 5))), 25);
}

TEST(FillCocoPolygonTest, LeavesOtherPixelsAlone) {
  cv::Mat mask(4, 4, CV_8UC1, cv::Scalar(1));
  FillCocoPolygon({{0, 0}, {4, 0}, {4, 4}, {0, 4}}, mask);
  EXPECT_EQ(cv::countNonZero(mask), 16);
  FillCocoPolygon({}, mask);
  FillCocoPolygon({{100, 100}, {110, 100}, {110, 110}}, mask);
  EXPECT_EQ(cv::countNonZero(mask), 16);
}

TEST(FillCocoPolygonTest, ReachesTheLowerBorderOnly) {
  cv::Mat mask = cv::Mat::zeros(4, 4, CV_8UC1);
  FillCocoPolygon({{1, 2}, {2, 2}, {2, 99}, {1, 99}}, mask);
  EXPECT_EQ(cv::countNonZero(mask), 2);
  EXPECT_EQ(mask.at<uint8_t>(3, 1), 1);
  EXPECT_EQ(mask.at<uint8_t>(0, 2), 0);
}

TEST(FillCocoPolygonTest, RefusesMisuse) {
  EXPECT_THAT(
      [] {
        cv::Mat mask = cv::Mat::zeros(4, 4, CV_8UC1);
        FillCocoPolygon({{0, 0}, {1e9, 0}, {4, 4}}, mask);
      },
      ThrowsMessage<c10::Error>(HasSubstr("out of range")));
  EXPECT_THAT(
      [] {
        cv::Mat mask = cv::Mat::zeros(4, 4, CV_16UC1);
        FillCocoPolygon({}, mask);
      },
      ThrowsMessage<c10::Error>(HasSubstr("CV_8UC1")));
}

}  // namespace
}  // namespace mask2former
