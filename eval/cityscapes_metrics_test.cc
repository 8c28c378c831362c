#include "mask2former/eval/cityscapes_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <opencv2/core.hpp>
#include <string>

#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/testing/random_images.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

CityscapesMetrics AddAll(const std::vector<ExampleImage>& images) {
  CityscapesMetrics metrics;
  for (const ExampleImage& image : images) {
    EXPECT_THAT(metrics.Add(image.labels, image.predictions, image.instances),
                IsOk());
  }
  return metrics;
}

// A row of pixels: what is there, and what was predicted.
struct Pixels {
  int instance;
  int predicted;
  int count;
};

CityscapesScores ScoresOf(const std::vector<Pixels>& runs) {
  int width = 0;
  for (const Pixels& run : runs) width += run.count;
  cv::Mat instances(1, width, CV_16UC1), predictions(1, width, CV_8UC1);
  int x = 0;
  for (const Pixels& run : runs) {
    instances.colRange(x, x + run.count) = run.instance;
    predictions.colRange(x, x + run.count) = run.predicted;
    x += run.count;
  }
  return AddAll({{"", instances, LabelsOfInstances(instances), predictions}})
      .Compute();
}

void ExpectScores(const std::map<std::string, double>& expected,
                  const std::array<double, kCityscapesLabelIds>& scores) {
  for (int id = 0; id < kCityscapesLabelIds; ++id) {
    const std::string name(CityscapesLabels()[id].name);
    const auto found = expected.find(name);
    if (found == expected.end()) {
      EXPECT_TRUE(std::isnan(scores[id])) << name << " " << scores[id];
    } else {
      EXPECT_NEAR(scores[id], found->second, 5e-11) << name;
    }
  }
}

TEST(CityscapesMetricsTest, ScoresTheClassesOfTheWorkedExample) {
  const CityscapesScores scores = AddAll(WorkedExample()).Compute();
  ExpectScores({{"road", 0.8934773092},
                {"building", 0.9090909091},
                {"sky", 0.9535116221},
                {"person", 0.6},
                {"rider", 0.0},
                {"car", 0.8089430894},
                {"truck", 0.0},
                {"bus", 0.0},
                {"bicycle", 0.75}},
               scores.class_iou);
  ExpectScores({{"person", 0.6},
                {"rider", 0.0},
                {"car", 0.8099294120},
                {"truck", 0.0},
                {"bus", 0.0},
                {"bicycle", 0.75}},
               scores.class_instance_iou);
  EXPECT_NEAR(scores.mean_class_iou, 0.5461136588693251, 1e-15);
  EXPECT_NEAR(scores.mean_class_instance_iou, 0.35998823533369456, 1e-15);
}

TEST(CityscapesMetricsTest, ScoresTheCategoriesOfTheWorkedExample) {
  const CityscapesScores scores = AddAll(WorkedExample()).Compute();
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const std::array<double, 8> iou = {kNone, 0.8934773092, 0.9090909091,
                                     kNone, kNone,        0.9535116221,
                                     1.0,   0.8885448916};
  for (int category = 0; category < 8; ++category) {
    if (std::isnan(iou[category])) {
      EXPECT_TRUE(std::isnan(scores.category_iou[category])) << category;
    } else {
      EXPECT_NEAR(scores.category_iou[category], iou[category], 5e-11)
          << category;
    }
    if (category < 6) {
      EXPECT_TRUE(std::isnan(scores.category_instance_iou[category]));
    }
  }
  EXPECT_NEAR(scores.category_instance_iou[6], 1.0, 5e-11);
  EXPECT_NEAR(scores.category_instance_iou[7], 0.9611434770, 5e-11);
  EXPECT_NEAR(scores.mean_category_iou, 0.9289249464067797, 1e-15);
  EXPECT_NEAR(scores.mean_category_instance_iou, 0.9805717385086588, 1e-15);
}

// In the order of the golden file.
std::vector<double> Flatten(const CityscapesScores& scores) {
  std::vector<double> flat;
  for (const CityscapesLabel& label : CityscapesLabels()) {
    if (!label.ignore_in_eval) flat.push_back(scores.class_iou[label.id]);
  }
  for (const CityscapesLabel& label : CityscapesLabels()) {
    if (!label.ignore_in_eval && label.has_instances) {
      flat.push_back(scores.class_instance_iou[label.id]);
    }
  }
  for (int i = 1; i < 8; ++i) flat.push_back(scores.category_iou[i]);
  for (int i = 6; i < 8; ++i) flat.push_back(scores.category_instance_iou[i]);
  flat.push_back(scores.mean_class_iou);
  flat.push_back(scores.mean_class_instance_iou);
  flat.push_back(scores.mean_category_iou);
  flat.push_back(scores.mean_category_instance_iou);
  return flat;
}

TEST(CityscapesMetricsTest, EqualsTheOfficialProgramOnRandomSets) {
  auto golden = ReadSafetensors("eval/testdata/random_sets.safetensors");
  ASSERT_THAT(golden, IsOk());
  const at::Tensor scores = golden->tensors["scores"];  // [200, 40]
  const at::Tensor checksums = golden->tensors["checksums"];
  ASSERT_EQ(scores.size(0), 200);
  for (int64_t set = 0; set < scores.size(0); ++set) {
    CityscapesMetrics metrics;
    for (int i = 0; i < 3; ++i) {
      const ExampleImage image =
          RandomImage("eval/" + std::to_string(set) + "/" + std::to_string(i));
      ASSERT_THAT(metrics.Add(image.labels, image.predictions, image.instances),
                  IsOk());
    }
    int64_t checksum = 0;
    for (size_t i = 0; i < metrics.confusion().counts().size(); ++i) {
      checksum += static_cast<int64_t>(i) * metrics.confusion().counts()[i];
    }
    ASSERT_EQ(checksum, checksums.const_data_ptr<int64_t>()[set]) << set;
    const std::vector<double> actual = Flatten(metrics.Compute());
    ASSERT_EQ(static_cast<int64_t>(actual.size()), scores.size(1));
    const double* const expected =
        scores.const_data_ptr<double>() + set * scores.size(1);
    for (size_t i = 0; i < actual.size(); ++i) {
      if (std::isnan(expected[i])) {
        EXPECT_TRUE(std::isnan(actual[i])) << set << ", " << i;
      } else {
        EXPECT_NEAR(actual[i], expected[i], 1e-12) << set << ", " << i;
      }
    }
  }
}

TEST(CityscapesMetricsTest, PixelAccuracyLeavesVoidOut) {
  EXPECT_DOUBLE_EQ(ScoresOf({{7, 7, 3}, {8, 7, 1}, {1, 8, 10}, {29000, 26, 5}})
                       .pixel_accuracy,
                   0.75);
}

TEST(CityscapesMetricsTest, ClassInNeitherIsUndefinedAndLeftOutOfTheMean) {
  const CityscapesScores scores = ScoresOf({{7, 7, 8}, {8, 7, 8}});
  ExpectScores({{"road", 0.5}, {"sidewalk", 0.0}}, scores.class_iou);
  ExpectScores({}, scores.class_instance_iou);
  EXPECT_EQ(scores.mean_class_iou, 0.25);
  EXPECT_TRUE(std::isnan(scores.mean_class_instance_iou));
}

TEST(CityscapesMetricsTest, AbsentButPredictedClassScoresZeroAndCounts) {
  const CityscapesScores scores = ScoresOf({{7, 7, 8}, {7, 26, 8}});
  ExpectScores({{"road", 0.5}, {"car", 0.0}}, scores.class_iou);
  ExpectScores({{"car", 0.0}}, scores.class_instance_iou);
  EXPECT_EQ(scores.mean_class_iou, 0.25);
  EXPECT_EQ(scores.mean_class_instance_iou, 0.0);
}

TEST(CityscapesMetricsTest, PredictionsOnVoidAreNoFalsePositives) {
  const CityscapesScores scores = ScoresOf({{7, 7, 8}, {1, 26, 8}, {4, 7, 9}});
  ExpectScores({{"road", 1.0}}, scores.class_iou);
  ExpectScores({}, scores.class_instance_iou);
}

TEST(CityscapesMetricsTest, GroupsAloneHaveAnIouButNoInstanceIou) {
  const CityscapesScores scores = ScoresOf({{26, 7, 8}});
  ExpectScores({{"car", 0.0}, {"road", 0.0}}, scores.class_iou);
  ExpectScores({}, scores.class_instance_iou);
}

TEST(CityscapesMetricsTest, NothingButVoidIsUndefined) {
  const CityscapesScores scores = ScoresOf({{1, 7, 8}, {0, 26, 8}});
  ExpectScores({}, scores.class_iou);
  EXPECT_TRUE(std::isnan(scores.mean_class_iou));
  EXPECT_TRUE(std::isnan(scores.mean_class_instance_iou));
  EXPECT_TRUE(std::isnan(scores.mean_category_iou));
  EXPECT_TRUE(std::isnan(scores.mean_category_instance_iou));
  EXPECT_TRUE(std::isnan(scores.pixel_accuracy));
  const CityscapesScores none = CityscapesMetrics().Compute();
  EXPECT_TRUE(std::isnan(none.mean_class_iou));
}

// The vehicle list of the instance score contains the ids that are not
// evaluated, that of the plain score does not.
TEST(CityscapesMetricsTest, CarPredictedAsCaravanIsAHitForInstancesOnly) {
  const CityscapesScores scores = ScoresOf({{26000, 26, 10}, {26000, 29, 10}});
  EXPECT_EQ(scores.category_iou[7], 0.5);
  EXPECT_EQ(scores.category_instance_iou[7], 1.0);
}

TEST(CityscapesMetricsTest,
     WithoutInstanceImagesOnlyInstanceScoresAreUndefined) {
  const std::vector<ExampleImage> images = WorkedExample();
  CityscapesMetrics metrics;
  for (const ExampleImage& image : images) {
    ASSERT_THAT(metrics.Add(image.labels, image.predictions, cv::Mat()),
                IsOk());
  }
  const CityscapesScores scores = metrics.Compute();
  EXPECT_NEAR(scores.mean_class_iou, 0.5461136588693251, 1e-15);
  ExpectScores({}, scores.class_instance_iou);
  EXPECT_TRUE(std::isnan(scores.mean_category_instance_iou));
}

TEST(CityscapesMetricsTest, OrderAndMergingDoNotMatter) {
  const std::vector<ExampleImage> images = WorkedExample();
  const CityscapesMetrics forwards = AddAll({images[0], images[1], images[0]});
  CityscapesMetrics merged = AddAll({images[0]});
  merged.Merge(AddAll({images[0]}));
  CityscapesMetrics other = AddAll({images[1]});
  other.Merge(merged);
  EXPECT_EQ(forwards.ToSums(), other.ToSums());
  EXPECT_EQ(other.images(), 3);
  EXPECT_EQ(forwards.Compute().mean_class_instance_iou,
            other.Compute().mean_class_instance_iou);
}

TEST(CityscapesMetricsTest, SumsOfProcessesAddUp) {
  const std::vector<ExampleImage> images = WorkedExample();
  const CityscapesMetrics whole = AddAll(images);
  std::vector<int64_t> sums = AddAll({images[0]}).ToSums();
  const std::vector<int64_t> others = AddAll({images[1]}).ToSums();
  for (size_t i = 0; i < sums.size(); ++i) sums[i] += others[i];
  const CityscapesMetrics summed = CityscapesMetrics::FromSums(sums);
  EXPECT_EQ(summed.ToSums(), whole.ToSums());
  EXPECT_EQ(summed.images(), 2);
  EXPECT_EQ(summed.Compute().mean_class_instance_iou,
            whole.Compute().mean_class_instance_iou);
  sums.pop_back();
  EXPECT_THROW(CityscapesMetrics::FromSums(sums), cv::Exception);
}

TEST(CityscapesMetricsTest, StateDoesNotGrowWithThePictures) {
  CityscapesMetrics metrics;
  size_t after_10 = 0;
  for (int i = 0; i < 1000; ++i) {
    const ExampleImage image = RandomImage("size/" + std::to_string(i % 50));
    ASSERT_THAT(metrics.Add(image.labels, image.predictions, image.instances),
                IsOk());
    if (i + 1 == 10) after_10 = metrics.ToSums().size();
  }
  const std::vector<int64_t> sums = metrics.ToSums();
  EXPECT_EQ(sums.size(), after_10);
  EXPECT_LT(sums.size() * sizeof(int64_t), 64 << 10);
  // These numbers are the whole state.
  EXPECT_EQ(CityscapesMetrics::FromSums(sums).Compute().mean_class_instance_iou,
            metrics.Compute().mean_class_instance_iou);
}

TEST(CityscapesMetricsTest, ARejectedImageChangesNothing) {
  const std::vector<ExampleImage> images = WorkedExample();
  CityscapesMetrics metrics = AddAll({images[0]});
  const std::vector<int64_t> before = metrics.ToSums();
  EXPECT_THAT(metrics.Add(images[1].labels, images[1].predictions,
                          cv::Mat(64, 128, CV_16UC1, cv::Scalar(7001))),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("a class without instances")));
  EXPECT_THAT(
      metrics.Add(images[1].labels, cv::Mat(64, 128, CV_8UC1, cv::Scalar(255)),
                  images[1].instances),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("255")));
  EXPECT_EQ(metrics.ToSums(), before);
}

}  // namespace
}  // namespace mask2former
