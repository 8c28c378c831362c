#include "mask2former/data/transforms/crop.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <set>
#include <utility>

namespace mask2former {
namespace {

TEST(DrawCropTest, ReachesEveryPlaceThatFits) {
  std::set<std::pair<int, int>> places;
  for (int i = 0; i < 600; ++i) {
    SampleRandom random(3, i);
    const cv::Rect crop = DrawCrop({6, 9}, {4, 5}, random);
    EXPECT_EQ(crop.size(), cv::Size(5, 4));
    EXPECT_GE(crop.x, 0);
    EXPECT_GE(crop.y, 0);
    EXPECT_LE(crop.br().x, 9);
    EXPECT_LE(crop.br().y, 6);
    places.insert({crop.x, crop.y});
  }
  EXPECT_EQ(places.size(), 5u * 3u);
}

TEST(DrawCropTest, TakesASmallPictureWhole) {
  SampleRandom random(3, 0);
  EXPECT_EQ(DrawCrop({6, 9}, {512, 1024}, random), cv::Rect(0, 0, 9, 6));
  EXPECT_EQ(DrawCrop({6, 9}, {512, 9}, random), cv::Rect(0, 0, 9, 6));
}

TEST(DrawCropTest, DrawsTheUpperEdgeFirst) {
  SampleRandom random(3, 1);
  SampleRandom same(3, 1);
  const cv::Rect crop = DrawCrop({1000, 1000}, {10, 10}, random);
  EXPECT_EQ(crop.y, same.Integer(0, 990));
  EXPECT_EQ(crop.x, same.Integer(0, 990));
}

TEST(IsVariedCropTest, ComparesTheLargestShareOfWhatIsNotIgnored) {
  const cv::Mat label =
      (cv::Mat_<uint8_t>(2, 4) << 0, 0, 0, 1, 255, 255, 255, 255);
  EXPECT_TRUE(IsVariedCrop(label, 0.76));
  EXPECT_FALSE(IsVariedCrop(label, 0.75));  // Must be less.
  EXPECT_FALSE(IsVariedCrop(label, 0.5));
}

TEST(IsVariedCropTest, OneClassOrNoneIsNotVaried) {
  EXPECT_FALSE(IsVariedCrop(cv::Mat(2, 2, CV_8UC1, cv::Scalar(3)), 1.0));
  EXPECT_FALSE(IsVariedCrop(cv::Mat(2, 2, CV_8UC1, cv::Scalar(255)), 1.0));
}

}  // namespace
}  // namespace mask2former
