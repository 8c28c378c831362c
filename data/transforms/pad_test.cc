#include "mask2former/data/transforms/pad.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

namespace mask2former {
namespace {

TEST(PadToTest, ExtendsRightAndBelow) {
  const cv::Mat label = (cv::Mat_<uint8_t>(2, 2) << 1, 2, 3, 4);
  const cv::Mat expected =
      (cv::Mat_<uint8_t>(3, 4) << 1, 2, 9, 9, 3, 4, 9, 9, 9, 9, 9, 9);
  const cv::Mat padded = PadTo(label, {3, 4}, 9);
  ASSERT_EQ(padded.size(), expected.size());
  EXPECT_EQ(cv::norm(padded, expected, cv::NORM_INF), 0.0);
}

TEST(PadToTest, FillsEveryChannel) {
  const cv::Mat image(1, 1, CV_8UC3, cv::Scalar(1, 2, 3));
  const cv::Mat padded = PadTo(image, {1, 2}, 128);
  EXPECT_EQ(padded.at<cv::Vec3b>(0, 0), cv::Vec3b(1, 2, 3));
  EXPECT_EQ(padded.at<cv::Vec3b>(0, 1), cv::Vec3b(128, 128, 128));
}

TEST(PadToTest, RefusesToCut) {
  EXPECT_THROW(PadTo(cv::Mat(4, 4, CV_8UC1), {4, 3}, 0), c10::Error);
}

}  // namespace
}  // namespace mask2former
