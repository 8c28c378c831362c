#include "mask2former/eval/semantic_evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <opencv2/core.hpp>
#include <string>
#include <thread>
#include <vector>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/report.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// The worked example without predictions of ids that are no class.
std::vector<ExampleImage> Example() {
  std::vector<ExampleImage> images = WorkedExample();
  for (ExampleImage& image : images) {
    image.predictions.setTo(26, image.predictions == 29);
  }
  return images;
}

cv::Mat TrainIds(const cv::Mat& ids) {
  cv::Mat table(1, 256, CV_8UC1), result;
  for (int i = 0; i < 256; ++i) {
    table.at<uint8_t>(i) = CityscapesIdToTrainId()[i];
  }
  cv::LUT(ids, table, result);
  return result;
}

torch::Tensor ToTensor(const cv::Mat& bytes) {
  return torch::from_blob(bytes.data, {bytes.rows, bytes.cols}, torch::kByte)
      .clone();
}

std::vector<int64_t> ExpectedSums() {
  CityscapesMetrics metrics;
  for (const ExampleImage& image : Example()) {
    EXPECT_THAT(metrics.Add(image.labels, image.predictions, image.instances),
                IsOk());
  }
  return metrics.ToSums();
}

TEST(SemanticEvaluatorTest, ScoresTrainIdsAsTheirLabelIds) {
  SemanticEvaluator evaluator;
  for (const ExampleImage& image : Example()) {
    ASSERT_THAT(evaluator.Add(image.name, TrainIds(image.predictions),
                              image.labels, image.instances),
                IsOk());
  }
  EXPECT_EQ(evaluator.metrics().ToSums(), ExpectedSums());
  EXPECT_NEAR(evaluator.Compute().class_iou[24], 0.6, 1e-15);
  EXPECT_EQ(evaluator.Table(), ClassTable(evaluator.Compute()) + "\n" +
                                   CategoryTable(evaluator.Compute()));
}

TEST(SemanticEvaluatorTest, TakesTensorsOfBothTypesAndAnyStrides) {
  SemanticEvaluator evaluator;
  const std::vector<ExampleImage> images = Example();
  const torch::Tensor a =
      ToTensor(TrainIds(images[0].predictions)).to(torch::kLong);
  const torch::Tensor b =
      ToTensor(TrainIds(images[1].predictions)).t().contiguous().t();
  ASSERT_FALSE(b.is_contiguous());
  ASSERT_THAT(evaluator.Add("a", a, images[0].labels, images[0].instances),
              IsOk());
  ASSERT_THAT(evaluator.Add("b", b, images[1].labels, images[1].instances),
              IsOk());
  EXPECT_EQ(evaluator.metrics().ToSums(), ExpectedSums());
}

TEST(SemanticEvaluatorTest, ThreadsMayAddAtOnce) {
  SemanticEvaluator evaluator;
  std::vector<std::thread> threads;
  for (const ExampleImage& image : Example()) {
    threads.emplace_back([&evaluator, image] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_THAT(evaluator.Add(image.name, TrainIds(image.predictions),
                                  image.labels, image.instances),
                    IsOk());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<int64_t> expected = ExpectedSums();
  for (int64_t& sum : expected) sum *= 50;
  // Digits carry, so compare what they stand for.
  EXPECT_EQ(evaluator.metrics().ToSums(),
            CityscapesMetrics::FromSums(expected).ToSums());
}

TEST(SemanticEvaluatorTest, NoClassIsWrongEverywhere) {
  SemanticEvaluator evaluator;
  cv::Mat prediction(1, 4, CV_8UC1, cv::Scalar(0));
  prediction.at<uint8_t>(0, 3) = 255;
  ASSERT_THAT(
      evaluator.Add("x", prediction, cv::Mat(1, 4, CV_8UC1, cv::Scalar(7)),
                    cv::Mat(1, 4, CV_16UC1, cv::Scalar(7))),
      IsOk());
  EXPECT_EQ(evaluator.Compute().class_iou[7], 0.75);
  EXPECT_EQ(evaluator.metrics().confusion().count(7, 0), 1);
}

TEST(SemanticEvaluatorTest, NamesTheImageThatIsWrong) {
  SemanticEvaluator evaluator;
  const cv::Mat road(2, 4, CV_8UC1, cv::Scalar(7));
  cv::Mat prediction(2, 4, CV_8UC1, cv::Scalar(0));
  prediction.at<uint8_t>(1, 2) = 19;
  EXPECT_THAT(
      evaluator.Add("ulm_000001_000019", prediction, road, cv::Mat()),
      StatusIs(kInvalid, AllOf(HasSubstr("ulm_000001_000019: "),
                               HasSubstr("the value 19 at row 1, column 2"))));
  prediction.at<uint8_t>(1, 2) = 18;
  EXPECT_THAT(evaluator.Add("ulm", prediction, road.rowRange(0, 1), cv::Mat()),
              StatusIs(kInvalid, HasSubstr("ulm: the prediction is 2 x 4")));
  EXPECT_THAT(evaluator.Add("ulm", cv::Mat(2, 4, CV_32SC1), road, cv::Mat()),
              StatusIs(kInvalid, HasSubstr("must be an 8-bit map")));
  const torch::Tensor beyond = torch::full({2, 4}, 256 + 3, torch::kLong);
  EXPECT_THAT(evaluator.Add("ulm", beyond, road, cv::Mat()),
              StatusIs(kInvalid, HasSubstr("the prediction has values from "
                                           "259 to 259")));
  EXPECT_EQ(evaluator.metrics().images(), 0);
}

TEST(SemanticEvaluatorTest, ThrowsForTensorsOfOtherShapesAndTypes) {
  SemanticEvaluator evaluator;
  const cv::Mat road(2, 4, CV_8UC1, cv::Scalar(7));
  EXPECT_THAT(
      [&] {
        evaluator.Add("x", torch::zeros({1, 2, 4}, torch::kByte), road, road)
            .IgnoreError();
      },
      ThrowsMessage<c10::Error>(HasSubstr("prediction must have shape")));
  EXPECT_THAT(
      [&] {
        evaluator.Add("x", torch::zeros({2, 4}), road, road).IgnoreError();
      },
      ThrowsMessage<c10::Error>(HasSubstr("must be uint8 or int64")));
}

}  // namespace
}  // namespace mask2former
