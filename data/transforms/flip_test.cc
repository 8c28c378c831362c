#include "mask2former/data/transforms/flip.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

namespace mask2former {
namespace {

TEST(FlipHorizontallyTest, ReversesColumnsAndKeepsRows) {
  cv::Mat label = (cv::Mat_<uint8_t>(2, 3) << 1, 2, 3, 4, 5, 6);
  FlipHorizontally(label);
  const cv::Mat expected = (cv::Mat_<uint8_t>(2, 3) << 3, 2, 1, 6, 5, 4);
  EXPECT_EQ(cv::norm(label, expected, cv::NORM_INF), 0.0);
}

TEST(FlipHorizontallyTest, KeepsChannelsTogether) {
  cv::Mat image(1, 2, CV_8UC3);
  image.at<cv::Vec3b>(0, 0) = {1, 2, 3};
  image.at<cv::Vec3b>(0, 1) = {4, 5, 6};
  FlipHorizontally(image);
  EXPECT_EQ(image.at<cv::Vec3b>(0, 0), cv::Vec3b(4, 5, 6));
  EXPECT_EQ(image.at<cv::Vec3b>(0, 1), cv::Vec3b(1, 2, 3));
}

}  // namespace
}  // namespace mask2former
