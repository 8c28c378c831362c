#include "mask2former/eval/generic_metrics.h"

#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/confusion_matrix.h"
#include "mask2former/eval/generic_scores.h"
#include "mask2former/eval/testing/random_images.h"
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

// Against the original's formulas; both ways to get there.
TEST(GenericMetricsTest, EqualsTheOriginalOn200RandomSets) {
  auto golden = ReadSafetensors("eval/testdata/random_generic.safetensors");
  ASSERT_THAT(golden, IsOk());
  const at::Tensor wanted = golden->tensors.at("scores");
  ASSERT_EQ(wanted.size(0), 200);
  for (int s = 0; s < 200; ++s) {
    GenericMetrics metrics(kCityscapesClasses);
    ConfusionMatrix confusion;
    for (int i = 0; i < 3; ++i) {
      const ExampleImage image = RandomImage(absl::StrCat("eval/", s, "/", i));
      ASSERT_THAT(confusion.Add(image.labels, image.predictions), IsOk());
      // What is predicted as no class is left out, as the original does.
      const cv::Mat predictions = ToTrainIds(image.predictions);
      cv::Mat truth = ToTrainIds(image.labels);
      truth.setTo(kCityscapesIgnore, predictions == kCityscapesIgnore);
      ASSERT_THAT(metrics.Add(truth, predictions), IsOk());
    }
    const double* const w = wanted[s].const_data_ptr<double>();
    for (const GenericScores& scores :
         {metrics.Compute(), GenericCityscapesScores(confusion)}) {
      EXPECT_NEAR(scores.mean_iou, w[0], 1e-9) << s;
      EXPECT_NEAR(scores.frequency_weighted_iou, w[1], 1e-9) << s;
      EXPECT_NEAR(scores.mean_accuracy, w[2], 1e-9) << s;
      EXPECT_NEAR(scores.pixel_accuracy, w[3], 1e-9) << s;
    }
  }
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
