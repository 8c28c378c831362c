#include "mask2former/eval/instance_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/instance_overlaps.h"
#include "mask2former/eval/testing/random_images.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

constexpr int kPerson = 0;
constexpr int kCar = 2;
constexpr int kBus = 4;
constexpr int kBicycle = 7;

InstanceOverlaps OverlapsOf(const cv::Mat& instances,
                            const std::vector<ExampleInstance>& predictions) {
  absl::StatusOr<InstanceOverlaps> overlaps =
      InstanceOverlaps::Create(instances);
  EXPECT_THAT(overlaps, IsOk());
  for (const ExampleInstance& prediction : predictions) {
    EXPECT_THAT(
        overlaps->Add(prediction.label_id, prediction.score, prediction.mask),
        IsOk());
  }
  return *overlaps;
}

// One row: instances from the left, and predictions as [left, right).
struct Segment {
  int value;
  int pixels;
};
struct Prediction {
  int left, right, label_id;
  double score;
};

InstanceScores ScoresOf(const std::vector<Segment>& truth,
                        const std::vector<Prediction>& predictions) {
  int width = 0;
  for (const Segment& segment : truth) width += segment.pixels;
  cv::Mat instances(1, width, CV_16UC1);
  int x = 0;
  for (const Segment& segment : truth) {
    instances.colRange(x, x + segment.pixels) = segment.value;
    x += segment.pixels;
  }
  std::vector<ExampleInstance> drawn;
  for (const Prediction& p : predictions) {
    cv::Mat mask = cv::Mat::zeros(1, width, CV_8UC1);
    mask.colRange(p.left, p.right) = 255;
    drawn.push_back({p.label_id, p.score, mask});
  }
  InstanceMetrics metrics;
  metrics.Add(OverlapsOf(instances, drawn));
  return metrics.Compute();
}

void ExpectEqual(double actual, double expected, double tolerance,
                 const std::string& where) {
  if (std::isnan(expected)) {
    EXPECT_TRUE(std::isnan(actual)) << where << ": " << actual;
  } else {
    EXPECT_NEAR(actual, expected, tolerance) << where;
  }
}

TEST(InstanceMetricsTest, ThresholdsAreThoseOfTheOfficialProgram) {
  EXPECT_THAT(ApThresholds(),
              testing::ElementsAre(
                  0.5, 0.55, 0.6000000000000001, 0.6500000000000001,
                  0.7000000000000002, 0.7500000000000002, 0.8000000000000003,
                  0.8500000000000003, 0.9000000000000004, 0.9500000000000004));
}

TEST(InstanceMetricsTest, ScoresTheWorkedExample) {
  InstanceMetrics metrics;
  const std::vector<ExampleImage> images = WorkedExample();
  for (size_t i = 0; i < images.size(); ++i) {
    metrics.Add(OverlapsOf(images[i].instances, WorkedPredictions()[i]));
  }
  EXPECT_EQ(metrics.images(), 2);
  const InstanceScores scores = metrics.Compute();
  const double car = 0.79166666666666667;
  const double bicycle = 0.41666666666666667;
  EXPECT_THAT(scores.ap[kPerson],
              testing::Pointwise(testing::DoubleNear(1e-15),
                                 {1., 1., 1., 1., 1., 1., 1., 1., 0., 0.}));
  EXPECT_THAT(scores.ap[kCar], testing::Pointwise(testing::DoubleNear(1e-15),
                                                  {car, car, car, car, 0.5, 0.5,
                                                   0.5, 0.5, 0., 0.}));
  EXPECT_THAT(scores.ap[kBus],
              testing::Pointwise(testing::DoubleNear(1e-15),
                                 {1., 1., 1., 1., 1., 1., 1., 1., 1., 0.}));
  EXPECT_THAT(scores.ap[kBicycle],
              testing::Pointwise(testing::DoubleNear(1e-15),
                                 {bicycle, bicycle, bicycle, bicycle, bicycle,
                                  bicycle, bicycle, 0.125, 0., 0.}));
  for (const int c : {1, 3, 5, 6}) {
    EXPECT_TRUE(std::isnan(scores.class_ap[c])) << c;
    EXPECT_TRUE(std::isnan(scores.class_ap50[c])) << c;
  }
  EXPECT_NEAR(scores.mean_ap, 0.6302083333, 1e-10);
  EXPECT_NEAR(scores.mean_ap50, 0.8020833333, 1e-10);
}

TEST(InstanceMetricsTest, EqualsTheOfficialProgramOnRandomSets) {
  for (int half = 0; half < 2; ++half) {
    auto golden = ReadSafetensors("eval/testdata/random_instances_" +
                                  std::to_string(half) + ".safetensors");
    ASSERT_THAT(golden, IsOk());
    const at::Tensor ap = golden->tensors["ap"];  // [100, 8, 10]
    const at::Tensor averages = golden->tensors["averages"];
    ASSERT_EQ(ap.numel(), 100 * kInstanceClasses * kApThresholds);
    const double* cell = ap.const_data_ptr<double>();
    for (int set = 0; set < 100; ++set) {
      // Every image into an accumulator of its own.
      InstanceMetrics metrics;
      for (int i = 0; i < 3; ++i) {
        const std::string name = "eval/" + std::to_string(half * 100 + set) +
                                 "/" + std::to_string(i);
        const cv::Mat instances = RandomImage(name).instances;
        InstanceMetrics image;
        image.Add(OverlapsOf(instances, RandomPredictions(name, instances)));
        metrics.Merge(image);
      }
      const InstanceScores scores = metrics.Compute();
      for (int c = 0; c < kInstanceClasses; ++c) {
        for (int t = 0; t < kApThresholds; ++t) {
          ExpectEqual(scores.ap[c][t], *cell++, 1e-12,
                      "set " + std::to_string(set) + ", class " +
                          std::to_string(c) + ", threshold " +
                          std::to_string(t));
        }
      }
      const double* const mean = averages.const_data_ptr<double>() + 2 * set;
      ExpectEqual(scores.mean_ap, mean[0], 1e-12, "AP");
      ExpectEqual(scores.mean_ap50, mean[1], 1e-12, "AP50");
    }
  }
}

TEST(InstanceMetricsTest, DoesNotDependOnTheOrderOfImages) {
  std::vector<InstanceOverlaps> images;
  for (int i = 0; i < 12; ++i) {
    const std::string name = "order/" + std::to_string(i);
    const cv::Mat instances = RandomImage(name).instances;
    images.push_back(OverlapsOf(instances, RandomPredictions(name, instances)));
  }
  InstanceMetrics forward, backward;
  for (const InstanceOverlaps& image : images) forward.Add(image);
  for (size_t i = images.size(); i-- > 0;) {
    InstanceMetrics one;
    one.Add(images[i]);
    backward.Merge(one);
  }
  EXPECT_EQ(backward.images(), 12);
  for (int c = 0; c < kInstanceClasses; ++c) {
    if (std::isnan(forward.Compute().class_ap[c])) continue;
    EXPECT_EQ(forward.Compute().ap[c], backward.Compute().ap[c]);
  }
  EXPECT_EQ(forward.Compute().mean_ap, backward.Compute().mean_ap);
}

// A picture k times has the average precision of one.
TEST(InstanceMetricsTest, KeepsEqualPredictionsOnce) {
  InstanceMetrics once, often, merged;
  for (int i = 0; i < 12; ++i) {
    const std::string name = "order/" + std::to_string(i);
    const cv::Mat instances = RandomImage(name).instances;
    const InstanceOverlaps image =
        OverlapsOf(instances, RandomPredictions(name, instances));
    once.Add(image);
    InstanceMetrics one;
    one.Add(image);
    for (int k = 0; k < 500; ++k) {
      often.Add(image);
      merged.Merge(one);
    }
  }
  EXPECT_GT(once.records(), 12);
  EXPECT_LE(once.records(), 12 * 12);  // Each has twelve predictions.
  const InstanceScores expected = once.Compute();
  for (const InstanceMetrics* metrics : {&often, &merged}) {
    EXPECT_EQ(metrics->images(), 6000);
    // Twice the distinct ones and 1024 make a class fold.
    EXPECT_LT(metrics->records(), 2 * once.records() + kInstanceClasses * 1024);
    const InstanceScores scores = metrics->Compute();
    for (int c = 0; c < kInstanceClasses; ++c) {
      for (int t = 0; t < kApThresholds; ++t) {
        ExpectEqual(scores.ap[c][t], expected.ap[c][t], 1e-12,
                    "class " + std::to_string(c));
      }
    }
  }
}

TEST(InstanceMetricsTest, KeepsSixteenBytesPerPredictionThatCounts) {
  const auto records = [](const std::vector<Prediction>& predictions) {
    cv::Mat instances(1, 600, CV_16UC1, cv::Scalar(7));
    instances.colRange(0, 200) = 26000;
    instances.colRange(200, 400) = 1;  // Void.
    std::vector<ExampleInstance> drawn;
    for (const Prediction& p : predictions) {
      cv::Mat mask = cv::Mat::zeros(1, 600, CV_8UC1);
      mask.colRange(p.left, p.right) = 255;
      drawn.push_back({p.label_id, p.score, mask});
    }
    InstanceMetrics metrics;
    metrics.Add(OverlapsOf(instances, drawn));
    return metrics.records();
  };
  EXPECT_EQ(InstanceMetrics::kRecordBytes, 16);
  EXPECT_EQ(records({}), 0);
  EXPECT_EQ(records({{0, 200, 26, 0.5}}), 1);    // Right.
  EXPECT_EQ(records({{400, 600, 26, 0.5}}), 1);  // Wrong.
  EXPECT_EQ(records({{200, 400, 26, 0.5}}), 0);  // Left out.
  // Left out up to 0.55, wrong from 0.6 on.
  EXPECT_EQ(records({{280, 480, 26, 0.5}}), 1);
  EXPECT_EQ(records({{200, 400, 26, 0.5},
                     {0, 190, 26, 0.4},
                     {250, 390, 26, 0.3},
                     {400, 500, 24, 0.2}}),
            2);
}

TEST(InstanceMetricsTest, EqualScoresAreOnePoint) {
  const std::vector<Segment> truth = {{26000, 200}, {7, 200}};
  EXPECT_EQ(
      ScoresOf(truth, {{0, 200, 26, 0.9}, {200, 300, 26, 0.95}}).ap[kCar][0],
      0.25);
  EXPECT_EQ(
      ScoresOf(truth, {{0, 200, 26, 0.9}, {200, 300, 26, 0.9}}).ap[kCar][0],
      0.75);
}

TEST(InstanceMetricsTest, HalfAnOverlapIsNone) {
  // IoU 100 / 200 exactly, and one pixel more.
  const std::vector<Segment> truth = {{26000, 200}, {7, 200}};
  EXPECT_EQ(ScoresOf(truth, {{0, 100, 26, 0.5}}).ap[kCar][0], 0);
  EXPECT_EQ(ScoresOf(truth, {{0, 101, 26, 0.5}}).ap[kCar][0], 1);
}

TEST(InstanceMetricsTest, InstancesHaveAHundredPixels) {
  EXPECT_EQ(ScoresOf({{26000, 100}, {7, 9}}, {}).ap[kCar][0], 0);
  EXPECT_TRUE(std::isnan(ScoresOf({{26000, 99}, {7, 9}}, {}).ap[kCar][0]));
}

TEST(InstanceMetricsTest, SmallGroupsCountTwiceAsIgnored) {
  // 99 of 300 pixels are a group, which counts as 198: more than half.
  EXPECT_EQ(ScoresOf({{26000, 200}, {26, 99}, {7, 201}},
                     {{0, 200, 26, 0.5}, {200, 500, 26, 0.9}})
                .ap[kCar][0],
            1);
  // Of a group of 100, 100 of 300: less than half, so it is wrong.
  EXPECT_EQ(ScoresOf({{26000, 200}, {26, 100}, {7, 200}},
                     {{0, 200, 26, 0.5}, {200, 500, 26, 0.9}})
                .ap[kCar][0],
            0.25);
}

TEST(InstanceMetricsTest, AllPredictionsLeftOutScoresZero) {
  EXPECT_EQ(
      ScoresOf({{26000, 200}, {1, 200}}, {{200, 400, 26, 0.5}}).ap[kCar][0], 0);
}

TEST(InstanceMetricsTest, NothingScoresNothing) {
  const InstanceScores scores = InstanceMetrics().Compute();
  EXPECT_TRUE(std::isnan(scores.mean_ap));
  EXPECT_TRUE(std::isnan(scores.mean_ap50));
}

}  // namespace
}  // namespace mask2former
