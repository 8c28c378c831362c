#include "mask2former/eval/pair_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
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

// Runs that begin and end anywhere, next to single pixels.
TEST(PairCountsTest, CountsRunsOfEveryLength) {
  cv::RNG rng(2);
  cv::Mat first(40, 203, CV_8UC1), second(40, 203, CV_8UC1);
  for (cv::Mat* image : {&first, &second}) {
    for (int y = 0; y < image->rows; ++y) {
      for (int x = 0; x < image->cols;) {
        const int length = 1 + rng.uniform(0, 1 + rng.uniform(0, 60));
        const int end = std::min(x + length, image->cols);
        image->row(y).colRange(x, end).setTo(rng.uniform(0, 256));
        x = end;
      }
    }
  }
  PairCounts expected = {};
  for (int y = 0; y < first.rows; ++y) {
    for (int x = 0; x < first.cols; ++x) {
      ++expected[256 * first.at<uint8_t>(y, x) + second.at<uint8_t>(y, x)];
    }
  }
  EXPECT_EQ(*CountPairs(first, second), expected);
}

TEST(PairCountsTest, CountsNothingInEmptyImages) {
  EXPECT_EQ(*CountPairs(cv::Mat(), cv::Mat()), PairCounts{});
}

TEST(PairCountsTest, RefusesImagesOfAnotherTypeOrSize) {
  const cv::Mat image(4, 6, CV_8UC1, cv::Scalar(0));
  EXPECT_NO_THROW(CountPairs(image, image));
  for (const cv::Mat& other :
       {cv::Mat(4, 6, CV_16UC1, cv::Scalar(0)),
        cv::Mat(4, 6, CV_8UC3, cv::Scalar(0)),
        cv::Mat(4, 5, CV_8UC1, cv::Scalar(0)),
        cv::Mat(6, 4, CV_8UC1, cv::Scalar(0)), cv::Mat()}) {
    EXPECT_THROW(CountPairs(image, other), cv::Exception);
    EXPECT_THROW(CountPairs(other, image), cv::Exception);
  }
}

}  // namespace
}  // namespace mask2former
