#include "mask2former/eval/confusion_matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <opencv2/core.hpp>
#include <utility>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(ConfusionMatrixTest, CountsTheWorkedExample) {
  ConfusionMatrix matrix;
  for (const ExampleImage& image : WorkedExample()) {
    ASSERT_THAT(matrix.Add(image.labels, image.predictions), IsOk());
  }
  const std::map<std::pair<int, int>, int64_t> expected = {
      {{1, 7}, 512},    {{7, 7}, 6123},  {{7, 11}, 256}, {{7, 26}, 56},
      {{11, 11}, 2560}, {{18, 17}, 128}, {{23, 7}, 186}, {{23, 23}, 3815},
      {{24, 24}, 60},   {{24, 25}, 40},  {{26, 7}, 32},  {{26, 26}, 796},
      {{26, 27}, 100},  {{28, 27}, 800}, {{29, 28}, 60}, {{29, 29}, 60},
      {{33, 7}, 200},   {{33, 33}, 600},
  };
  for (int g = 0; g < ConfusionMatrix::kIds; ++g) {
    for (int p = 0; p < ConfusionMatrix::kIds; ++p) {
      const auto found = expected.find({g, p});
      EXPECT_EQ(matrix.count(g, p), found == expected.end() ? 0 : found->second)
          << g << ", " << p;
    }
  }
  EXPECT_EQ(matrix.Total(), 16384);
  EXPECT_EQ(matrix.GroundTruthCount(26), 928);
  EXPECT_EQ(matrix.PredictedCount(7), 512 + 6123 + 186 + 32 + 200);
}

// Widths around the eight pixels that are read at once, and rows that do not
// follow one another in memory.
TEST(ConfusionMatrixTest, CountsEveryWidthAndPartsOfImages) {
  cv::RNG random(1);
  cv::Mat truth(9, 64, CV_8UC1), prediction(9, 64, CV_8UC1);
  random.fill(truth, cv::RNG::UNIFORM, 0, 2);
  random.fill(prediction, cv::RNG::UNIFORM, 32, 34);
  truth.colRange(16, 40) = 5;
  prediction.colRange(20, 60) = 6;
  for (int width = 1; width <= 64; ++width) {
    const cv::Range columns(64 - width, 64);
    ConfusionMatrix matrix;
    ASSERT_THAT(
        matrix.Add(truth.colRange(columns), prediction.colRange(columns)),
        IsOk());
    ConfusionMatrix expected;
    for (int y = 0; y < 9; ++y) {
      for (int x = columns.start; x < columns.end; ++x) {
        ++expected.mutable_counts()[truth.at<uint8_t>(y, x) *
                                        ConfusionMatrix::kIds +
                                    prediction.at<uint8_t>(y, x)];
      }
    }
    EXPECT_EQ(matrix.counts(), expected.counts()) << width;
  }
}

TEST(ConfusionMatrixTest, MergesBeyondTheRangeOfInt32) {
  const cv::Mat zeros(1000, 1000, CV_8UC1, cv::Scalar(0));
  ConfusionMatrix matrix;
  ASSERT_THAT(matrix.Add(zeros, zeros), IsOk());
  int64_t expected = 1000000;
  for (int i = 0; i < 20; ++i) {
    const ConfusionMatrix copy = matrix;
    matrix.Merge(copy);
    expected *= 2;
  }
  EXPECT_EQ(matrix.count(0, 0), expected);
  EXPECT_EQ(matrix.Total(), expected);
}

TEST(ConfusionMatrixTest, RejectsIdsAbove33AndCountsNothing) {
  const cv::Mat road(4, 10, CV_8UC1, cv::Scalar(7));
  cv::Mat wrong = road.clone();
  wrong.at<uint8_t>(2, 3) = 34;
  wrong.at<uint8_t>(3, 0) = 34;
  ConfusionMatrix matrix;
  EXPECT_THAT(matrix.Add(road, wrong),
              StatusIs(kInvalid, HasSubstr("the prediction has the value 34 at "
                                           "2 pixels, first at row 2, column "
                                           "3; label ids are 0..33")));
  EXPECT_THAT(matrix.Add(wrong, road),
              StatusIs(kInvalid, HasSubstr("the ground truth has the value 34 "
                                           "at 2 pixels")));
  const cv::Mat ignored(4, 10, CV_8UC1, cv::Scalar(255));
  EXPECT_THAT(
      matrix.Add(road, ignored),
      StatusIs(kInvalid, AllOf(HasSubstr("the value 255 at 40 pixels"),
                               HasSubstr("map train ids to label ids"))));
  EXPECT_THAT(matrix.Add(ignored, road),
              StatusIs(kInvalid, HasSubstr("a labelTrainIds image?")));
  EXPECT_EQ(matrix.Total(), 0);
}

TEST(ConfusionMatrixTest, RejectsOtherTypesAndSizes) {
  const cv::Mat good(4, 10, CV_8UC1, cv::Scalar(7));
  ConfusionMatrix matrix;
  EXPECT_THAT(matrix.Add(good, cv::Mat(4, 9, CV_8UC1, cv::Scalar(7))),
              StatusIs(kInvalid, HasSubstr("the prediction is 4 x 9 (height x "
                                           "width), the ground truth 4 x 10")));
  EXPECT_THAT(matrix.Add(good, cv::Mat(4, 10, CV_8UC3, cv::Scalar(7, 7, 7))),
              StatusIs(kInvalid, HasSubstr("the prediction has 3 channels")));
  EXPECT_THAT(matrix.Add(good, cv::Mat(4, 10, CV_16UC1, cv::Scalar(7))),
              StatusIs(kInvalid, HasSubstr("has 16 bits per pixel, want 8")));
  EXPECT_THAT(matrix.Add(cv::Mat(), good),
              StatusIs(kInvalid, HasSubstr("the ground truth is empty")));
  EXPECT_EQ(matrix.Total(), 0);
}

}  // namespace
}  // namespace mask2former
