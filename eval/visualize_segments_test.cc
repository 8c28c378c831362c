#include "mask2former/eval/visualize_segments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

namespace mask2former {
namespace {

const cv::Vec3b kBlack(0, 0, 0), kWhite(255, 255, 255);
const cv::Vec3b kRoad(128, 64, 128), kCar(0, 0, 142);

// Road with two cars of 8 x 8 pixels, and a column of nothing.
SegmentMap Street() {
  SegmentMap map;
  map.ids = cv::Mat(16, 32, CV_32SC1, cv::Scalar(1));
  map.ids(cv::Rect(2, 4, 8, 8)).setTo(2);
  map.ids(cv::Rect(16, 4, 8, 8)).setTo(70000);
  map.ids.col(31).setTo(0);
  map.segments = {{1, 7}, {2, 26}, {70000, 26}};
  return map;
}

TEST(ColorizeSegmentsTest, StuffHasItsColorAndThingsShadesAndOutlines) {
  const cv::Mat colors = ColorizeSegments(Street());
  EXPECT_EQ(colors.at<cv::Vec3b>(0, 0), kRoad);
  EXPECT_EQ(colors.at<cv::Vec3b>(8, 5), kCar);
  EXPECT_EQ(colors.at<cv::Vec3b>(4, 5), kWhite) << "the upper outline";
  EXPECT_EQ(colors.at<cv::Vec3b>(11, 5), kWhite) << "the lower outline";
  EXPECT_EQ(colors.at<cv::Vec3b>(8, 2), kWhite) << "the left outline";
  EXPECT_EQ(colors.at<cv::Vec3b>(8, 9), kWhite) << "the right outline";
  // 45 of 100 parts white.
  EXPECT_EQ(colors.at<cv::Vec3b>(8, 20), cv::Vec3b(115, 115, 193));
  EXPECT_EQ(colors.at<cv::Vec3b>(0, 31), kBlack);
}

TEST(ColorizeSegmentsTest, SegmentsThatAreNotListedAreBlack) {
  SegmentMap map = Street();
  map.segments.pop_back();
  EXPECT_EQ(ColorizeSegments(map).at<cv::Vec3b>(8, 20), kBlack);
}

TEST(OverlaySegmentsTest, ShowsTheImageWhereThereIsNoSegment) {
  const cv::Mat image(16, 32, CV_8UC3, cv::Scalar(10, 20, 30));
  const cv::Mat overlay = OverlaySegments(image, Street(), 0.5);
  EXPECT_EQ(overlay.at<cv::Vec3b>(0, 31), cv::Vec3b(10, 20, 30));
  EXPECT_EQ(overlay.at<cv::Vec3b>(0, 0), cv::Vec3b(69, 42, 79));
}

TEST(SegmentStripTest, HasAPanelForEachMapThatIsThere) {
  const cv::Mat image(16, 32, CV_8UC3, cv::Scalar(10, 20, 30));
  EXPECT_EQ(SegmentStrip(image, Street(), Street(), 100).cols, 3 * 32 + 2 * 4);
  EXPECT_EQ(SegmentStrip(image, {}, Street(), 100).cols, 2 * 32 + 4);
}

TEST(SegmentStripTest, ShrinksIdsWithoutMixingThem) {
  const cv::Mat image(16, 32, CV_8UC3, cv::Scalar(0, 0, 0));
  const cv::Mat strip = SegmentStrip(image, {}, Street(), 16);
  ASSERT_EQ(strip.size(), cv::Size(2 * 16 + 4, 8));
  // The middle of the second car, 6 parts of 10 of its shade.
  EXPECT_EQ(strip.at<cv::Vec3b>(4, 20 + 10), cv::Vec3b(69, 69, 116));
}

}  // namespace
}  // namespace mask2former
