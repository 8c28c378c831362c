#include "mask2former/eval/panoptic_overlaps.h"

#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

// Runs of 1 to 24 pixels, so that all ways through a row are gone.
cv::Mat RandomMap(cv::RNG& rng, int rows, int cols) {
  cv::Mat ids(rows, cols, CV_32SC1);
  int left = 0, id = 0;
  for (int i = 0; i < rows * cols; ++i) {
    if (left-- == 0) {
      left = rng.uniform(0, 24);
      id = rng.uniform(0, 4) * 40503;
    }
    ids.at<int32_t>(i / cols, i % cols) = id;
  }
  return ids;
}

cv::Mat ToRgb(const cv::Mat& ids) {
  cv::Mat rgb(ids.size(), CV_8UC3);
  for (int i = 0; i < ids.rows * ids.cols; ++i) {
    const int id = ids.at<int32_t>(i / ids.cols, i % ids.cols);
    rgb.at<cv::Vec3b>(i / ids.cols, i % ids.cols) =
        cv::Vec3b(static_cast<uint8_t>(id), static_cast<uint8_t>(id >> 8),
                  static_cast<uint8_t>(id >> 16));
  }
  return rgb;
}

TEST(PanopticOverlapsTest, CountsEveryPixelOfEveryPair) {
  cv::RNG rng(1);
  for (const int width : {1, 7, 8, 9, 61}) {
    const cv::Mat truth = RandomMap(rng, 17, width);
    const cv::Mat prediction = RandomMap(rng, 17, width);
    PanopticOverlaps expected;
    for (int y = 0; y < 17; ++y) {
      for (int x = 0; x < width; ++x) {
        ++expected[{truth.at<int32_t>(y, x), prediction.at<int32_t>(y, x)}];
      }
    }
    for (const cv::Mat& t : {truth, ToRgb(truth)}) {
      for (const cv::Mat& p : {prediction, ToRgb(prediction)}) {
        const auto overlaps = CountPanopticOverlaps(t, p);
        ASSERT_THAT(overlaps, IsOk());
        EXPECT_EQ(*overlaps, expected) << width;
      }
    }
  }
}

}  // namespace
}  // namespace mask2former
