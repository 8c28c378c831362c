#include "mask2former/eval/instance_hits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

TEST(InstanceHitsTest, WeighsTheWorkedExample) {
  InstanceHits hits;
  for (const ExampleImage& image : WorkedExample()) {
    ASSERT_THAT(hits.Add(image.instances, image.predictions), IsOk());
  }
  EXPECT_NEAR(hits.ForClass(26).hits.value(), 31132.1160, 5e-5);
  EXPECT_NEAR(hits.ForClass(26).misses.value(), 7249.9448, 5e-5);
  const WeightedHits& vehicle = hits.ForCategory(InstanceHits::kVehicle);
  EXPECT_NEAR(vehicle.hits.value(), 80269.7646, 5e-5);
  EXPECT_NEAR(vehicle.misses.value(), 3189.0971, 5e-5);
  // The caravan of image A is ignored.
  EXPECT_EQ(hits.ForClass(29).misses.value(), 0);
  EXPECT_EQ(hits.ForClass(29).hits.value(), 0);
}

TEST(InstanceHitsTest, CountsOneInstanceInPiecesAsOne) {
  cv::Mat instances(2, 8, CV_16UC1, cv::Scalar(26));  // A group: no instance.
  cv::Mat prediction(2, 8, CV_8UC1, cv::Scalar(26));
  instances.at<uint16_t>(0, 0) = 24001;
  instances.at<uint16_t>(1, 7) = 24001;
  prediction.at<uint8_t>(1, 7) = 24;
  prediction.at<uint8_t>(0, 0) = 25;
  InstanceHits hits;
  ASSERT_THAT(hits.Add(instances, prediction), IsOk());
  constexpr double kAveragePerson = 3462.4756337644;
  EXPECT_EQ(hits.ForClass(24).hits.value(), kAveragePerson / 2);
  EXPECT_EQ(hits.ForClass(24).misses.value(), kAveragePerson / 2);
  EXPECT_EQ(hits.ForCategory(InstanceHits::kHuman).hits.value(),
            kAveragePerson);
  EXPECT_EQ(hits.ForCategory(InstanceHits::kHuman).misses.value(), 0);
  EXPECT_EQ(hits.ForClass(26).hits.value(), 0);
}

// Instances that begin and end anywhere, partly found, among values just below
// and above those of instances.
TEST(InstanceHitsTest, CountsRunsOfEveryLength) {
  cv::RNG rng(4);
  const int values[] = {7, 1000, 24001, 26001, 26002};
  const int predicted[] = {24, 25, 26, 7};
  cv::Mat instances(60, 203, CV_16UC1), prediction(60, 203, CV_8UC1);
  for (int y = 0; y < instances.rows; ++y) {
    for (int x = 0; x < instances.cols;) {
      const int end = std::min(x + 1 + rng.uniform(0, 30), instances.cols);
      instances.row(y).colRange(x, end).setTo(values[rng.uniform(0, 5)]);
      prediction.row(y).colRange(x, end).setTo(predicted[rng.uniform(0, 4)]);
      x = end;
    }
  }
  InstanceHits hits;
  ASSERT_THAT(hits.Add(instances, prediction), IsOk());
  constexpr double kAverageCar = 12794.0202738185;
  double expected = 0, expected_misses = 0;
  for (const int value : {26001, 26002}) {
    const cv::Mat inside = instances == value;
    const cv::Mat found = inside & (prediction == 26);
    const double size = cv::countNonZero(inside);
    expected += kAverageCar / size * cv::countNonZero(found);
    expected_misses += kAverageCar / size * (size - cv::countNonZero(found));
  }
  EXPECT_NEAR(hits.ForClass(26).hits.value(), expected, 1e-6);
  EXPECT_NEAR(hits.ForClass(26).misses.value(), expected_misses, 1e-6);
  const cv::Mat person = instances == 24001;
  const cv::Mat human = person & (prediction >= 24) & (prediction <= 25);
  EXPECT_NEAR(
      hits.ForCategory(InstanceHits::kHuman).hits.value(),
      3462.4756337644 * cv::countNonZero(human) / cv::countNonZero(person),
      1e-6);
}

TEST(InstanceHitsTest, SkipsValuesThatAreNoInstances) {
  const cv::Mat prediction(2, 8, CV_8UC1, cv::Scalar(26));
  InstanceHits hits;
  // 1000 is no instance, 1001 an ignored one, 30000 a trailer.
  for (const int value : {33, 1000, 1001, 29999, 30000}) {
    ASSERT_THAT(
        hits.Add(cv::Mat(2, 8, CV_16UC1, cv::Scalar(value)), prediction),
        IsOk());
  }
  ASSERT_THAT(hits.Add(cv::Mat(2, 8, CV_8UC1, cv::Scalar(26)), prediction),
              IsOk());
  for (int id = 24; id < 34; ++id) {
    EXPECT_EQ(hits.ForClass(id).hits.value(), 0);
    EXPECT_EQ(hits.ForClass(id).misses.value(), 0);
  }
}

TEST(InstanceHitsTest, RejectsInstancesOfOtherClassesAndSizes) {
  const cv::Mat prediction(2, 8, CV_8UC1, cv::Scalar(26));
  InstanceHits hits;
  EXPECT_THAT(
      hits.Add(cv::Mat(2, 8, CV_16UC1, cv::Scalar(7001)), prediction),
      StatusIs(kInvalid, HasSubstr("the value 7001 at 16 pixels, an instance "
                                   "of \"road\", a class without instances")));
  EXPECT_THAT(hits.Add(cv::Mat(2, 8, CV_16UC1, cv::Scalar(34000)), prediction),
              StatusIs(kInvalid, HasSubstr("values up to 34000 (16 pixels)")));
  EXPECT_THAT(hits.Add(cv::Mat(2, 7, CV_16UC1, cv::Scalar(0)), prediction),
              StatusIs(kInvalid, HasSubstr("the instance image is 2 x 7")));
  EXPECT_THAT(hits.Add(cv::Mat(2, 8, CV_8UC3), prediction),
              StatusIs(kInvalid, HasSubstr("must be gray")));
  EXPECT_THAT(hits.Add(cv::Mat(2, 8, CV_16UC1, cv::Scalar(0)),
                       cv::Mat(2, 8, CV_16UC1, cv::Scalar(0))),
              StatusIs(kInvalid, HasSubstr("the prediction must be gray")));
}

}  // namespace
}  // namespace mask2former
