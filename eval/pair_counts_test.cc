#include "mask2former/eval/pair_counts.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

namespace mask2former {
namespace {

TEST(PairCountsTest, CountsEveryPixelOnce) {
  cv::RNG rng(1);
  for (const int width : {1, 7, 8, 9, 61}) {
    cv::Mat first(13, width, CV_8UC1), second(13, width, CV_8UC1);
    rng.fill(first, cv::RNG::UNIFORM, 0, 2);
    rng.fill(second, cv::RNG::UNIFORM, 254, 256);
    first.rowRange(0, 6) = 7;  // Long runs, too.
    second.rowRange(0, 6) = 9;
    PairCounts expected = {};
    for (int y = 0; y < 13; ++y) {
      for (int x = 0; x < width; ++x) {
        ++expected[256 * first.at<uint8_t>(y, x) + second.at<uint8_t>(y, x)];
      }
    }
    EXPECT_EQ(*CountPairs(first, second), expected) << width;
  }
}

}  // namespace
}  // namespace mask2former
