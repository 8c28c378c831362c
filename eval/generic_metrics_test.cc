#include "mask2former/eval/generic_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

cv::Mat ToTrainIds(const cv::Mat& label_ids) {
  cv::Mat train_ids;
  cv::LUT(label_ids,
          cv::Mat(1, 256, CV_8UC1,
                  const_cast<uint8_t*>(CityscapesIdToTrainId().data())),
          train_ids);
  return train_ids;
}

// A caravan, which is no class, is predicted only where nothing counts.
TEST(GenericMetricsTest, ScoresTheWorkedExample) {
  GenericMetrics metrics(kCityscapesClasses);
  for (const ExampleImage& image : WorkedExample()) {
    GenericMetrics one(kCityscapesClasses);
    ASSERT_THAT(
        one.Add(ToTrainIds(image.labels), ToTrainIds(image.predictions)),
        IsOk());
    metrics.Merge(one);
  }
  const GenericScores scores = metrics.Compute();
  // Computed by the evaluator of the original implementation, in percent.
  EXPECT_NEAR(100 * scores.mean_iou, 70.2146, 5e-5);
  EXPECT_NEAR(100 * scores.frequency_weighted_iou, 85.1414, 5e-5);
  EXPECT_NEAR(100 * scores.mean_accuracy, 73.0398, 5e-5);
  EXPECT_NEAR(100 * scores.pixel_accuracy, 89.3113, 5e-5);
  // Rider is predicted but never there.
  EXPECT_TRUE(std::isnan(scores.iou[12]));
  EXPECT_TRUE(std::isnan(scores.accuracy[12]));
}

TEST(GenericMetricsTest, IgnoredPixelsDoNotCountAtAll) {
  const cv::Mat truth = (cv::Mat_<uint8_t>(1, 6) << 0, 0, 0, 1, 9, 9);
  const cv::Mat prediction = (cv::Mat_<uint8_t>(1, 6) << 0, 0, 1, 1, 1, 77);
  GenericMetrics metrics(3, 9);
  ASSERT_THAT(metrics.Add(truth, prediction), IsOk());
  const GenericScores scores = metrics.Compute();
  EXPECT_DOUBLE_EQ(scores.iou[0], 2. / 3);
  EXPECT_DOUBLE_EQ(scores.iou[1], 1. / 2);
  EXPECT_TRUE(std::isnan(scores.iou[2]));
  EXPECT_DOUBLE_EQ(scores.mean_iou, (2. / 3 + 1. / 2) / 2);
  EXPECT_DOUBLE_EQ(scores.frequency_weighted_iou, (2. / 3 * 3 + 1. / 2) / 4);
  EXPECT_DOUBLE_EQ(scores.mean_accuracy, (2. / 3 + 1) / 2);
  EXPECT_DOUBLE_EQ(scores.pixel_accuracy, 3. / 4);
}

TEST(GenericMetricsTest, NothingScoresNothing) {
  const GenericScores scores = GenericMetrics(2).Compute();
  EXPECT_TRUE(std::isnan(scores.mean_iou));
  EXPECT_TRUE(std::isnan(scores.pixel_accuracy));
}

TEST(GenericMetricsTest, RejectsWhatIsNoClass) {
  const cv::Mat zeros = cv::Mat::zeros(2, 2, CV_8UC1);
  GenericMetrics metrics(2);
  EXPECT_THAT(metrics.Add(zeros + 2, zeros),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the ground truth has the value 2; classes "
                                 "are 0..1, and 255")));
  EXPECT_THAT(metrics.Add(zeros, zeros + 255),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the prediction has the value 255")));
  EXPECT_THAT(metrics.Add(zeros, zeros.colRange(0, 1)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the prediction 2 x 1")));
  EXPECT_THAT(metrics.counts(), testing::Each(0));
}

}  // namespace
}  // namespace mask2former
