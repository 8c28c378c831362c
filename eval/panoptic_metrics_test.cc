#include "mask2former/eval/panoptic_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <string>

#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/panoptic_truth.h"
#include "mask2former/eval/testing/random_images.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

PanopticImage Truth(const cv::Mat& instances) {
  const auto truth = PanopticTruth(instances);
  EXPECT_THAT(truth, IsOk());
  return *truth;
}

PanopticMetrics WorkedMetrics() {
  PanopticMetrics metrics;
  const std::vector<ExampleImage> images = WorkedExample();
  const std::vector<ExampleSegments> predictions = WorkedSegments();
  for (size_t i = 0; i < images.size(); ++i) {
    PanopticImage prediction;
    prediction.ids = predictions[i].ids;
    for (size_t s = 0; s < predictions[i].categories.size(); ++s) {
      prediction.segments.push_back(
          {static_cast<int64_t>(s + 1), predictions[i].categories[s]});
    }
    EXPECT_THAT(metrics.Add(Truth(images[i].instances), prediction), IsOk());
  }
  return metrics;
}

// One row: [pixels, true segment, predicted segment], with what they are.
struct Run {
  int pixels, truth, prediction;
};
struct Row {
  std::vector<Run> runs;
  std::vector<PanopticSegment> truth, prediction;
};

absl::Status AddRow(const Row& row, PanopticMetrics& metrics) {
  int width = 0;
  for (const Run& run : row.runs) width += run.pixels;
  PanopticImage truth = {cv::Mat(1, width, CV_32SC1), row.truth};
  PanopticImage prediction = {cv::Mat(1, width, CV_32SC1), row.prediction};
  int x = 0;
  for (const Run& run : row.runs) {
    truth.ids.colRange(x, x + run.pixels) = run.truth;
    prediction.ids.colRange(x, x + run.pixels) = run.prediction;
    x += run.pixels;
  }
  for (PanopticSegment& segment : truth.segments) {
    segment.area = cv::countNonZero(truth.ids == segment.id);
  }
  return metrics.Add(truth, prediction);
}

// {TP, FP, FN} of a category.
std::vector<int64_t> CountsOf(const Row& row, int category_id) {
  PanopticMetrics metrics;
  EXPECT_THAT(AddRow(row, metrics), IsOk());
  for (const PanopticScores::Category& c : metrics.Compute().categories) {
    if (c.category.id != category_id) continue;
    return {c.true_positives, c.false_positives, c.false_negatives};
  }
  return {};
}

TEST(PanopticMetricsTest, ScoresTheWorkedExample) {
  const PanopticScores scores = WorkedMetrics().Compute();
  EXPECT_NEAR(scores.all.mean.pq, 0.5763102441575941, 1e-15);
  EXPECT_NEAR(scores.all.mean.sq, 0.5938102441575941, 1e-15);
  EXPECT_NEAR(scores.all.mean.rq, 0.6444444444, 1e-10);
  EXPECT_EQ(scores.all.categories, 9);
  EXPECT_NEAR(scores.things.mean.pq, 0.4869090909, 1e-10);
  EXPECT_EQ(scores.things.categories, 5);
  EXPECT_NEAR(scores.stuff.mean.pq, 0.6880616857, 1e-10);
  EXPECT_EQ(scores.stuff.categories, 4);
  ASSERT_EQ(scores.categories.size(), 19u);
  const PanopticScores::Category& car = scores.categories[13];
  EXPECT_EQ(car.category.name, "car");
  EXPECT_EQ(car.true_positives, 2);
  EXPECT_EQ(car.false_positives, 0);
  EXPECT_EQ(car.false_negatives, 1);
  EXPECT_NEAR(car.quality.pq, 0.63, 1e-15);
}

TEST(PanopticMetricsTest, EqualsTheOfficialProgramOnRandomSets) {
  auto classes = ReadSafetensors("eval/testdata/random_panoptic.safetensors");
  auto groups =
      ReadSafetensors("eval/testdata/random_panoptic_groups.safetensors");
  ASSERT_THAT(classes, IsOk());
  ASSERT_THAT(groups, IsOk());
  const at::Tensor class_scores = classes->tensors["classes"];
  const at::Tensor group_scores = groups->tensors["groups"];
  ASSERT_EQ(class_scores.numel(), 200 * 19 * 3);
  ASSERT_EQ(group_scores.numel(), 200 * 3 * 4);
  const double* expected = class_scores.const_data_ptr<double>();
  const double* group = group_scores.const_data_ptr<double>();
  const auto near = [](double actual, double wanted, const std::string& where) {
    if (std::isnan(wanted)) {
      EXPECT_TRUE(std::isnan(actual)) << where << ": " << actual;
    } else {
      EXPECT_NEAR(actual, wanted, 1e-12) << where;
    }
  };
  int64_t true_positives = 0;
  for (int set = 0; set < 200; ++set) {
    PanopticMetrics metrics;
    for (int i = 0; i < 3; ++i) {
      const std::string name =
          "eval/" + std::to_string(set) + "/" + std::to_string(i);
      const cv::Mat instances = RandomImage(name).instances;
      const RandomSegmentation drawn = RandomSegments(name, instances);
      PanopticImage prediction = {drawn.ids, {}};
      for (const auto& [id, category] : drawn.categories) {
        prediction.segments.push_back({id, category});
      }
      ASSERT_THAT(metrics.Add(Truth(instances), prediction), IsOk());
    }
    // Through the form in which processes exchange it.
    const PanopticScores scores =
        PanopticMetrics::FromSums(CityscapesPanopticCategories(),
                                  metrics.ToSums())
            .Compute();
    const std::string where = "set " + std::to_string(set);
    for (const PanopticScores::Category& c : scores.categories) {
      near(c.quality.pq, *expected++, where + ", PQ of " + c.category.name);
      near(c.quality.sq, *expected++, where + ", SQ of " + c.category.name);
      near(c.quality.rq, *expected++, where + ", RQ of " + c.category.name);
      true_positives += c.true_positives;
    }
    for (const PanopticScores::Group* g :
         {&scores.all, &scores.things, &scores.stuff}) {
      near(g->mean.pq, *group++, where);
      near(g->mean.sq, *group++, where);
      near(g->mean.rq, *group++, where);
      EXPECT_EQ(g->categories, *group++) << where;
    }
  }
  EXPECT_GT(true_positives, 500);  // The sets are worth comparing.
}

TEST(PanopticMetricsTest, StateDoesNotGrowWithThePictures) {
  PanopticMetrics metrics;
  size_t after_10 = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = "size/" + std::to_string(i % 50);
    const cv::Mat instances = RandomImage(name).instances;
    const RandomSegmentation drawn = RandomSegments(name, instances);
    PanopticImage prediction = {drawn.ids, {}};
    for (const auto& [id, category] : drawn.categories) {
      prediction.segments.push_back({id, category});
    }
    ASSERT_THAT(metrics.Add(Truth(instances), prediction), IsOk());
    if (i + 1 == 10) after_10 = metrics.ToSums().size();
  }
  const std::vector<int64_t> sums = metrics.ToSums();
  EXPECT_EQ(sums.size(), after_10);
  EXPECT_LT(sums.size() * sizeof(int64_t), 64 << 10);
  // These numbers are the whole state.
  EXPECT_EQ(PanopticMetrics::FromSums(CityscapesPanopticCategories(), sums)
                .Compute()
                .all.mean.pq,
            metrics.Compute().all.mean.pq);
}

TEST(PanopticMetricsTest, MergedEqualsAddedToTheBit) {
  PanopticMetrics twice = WorkedMetrics();
  twice.Merge(WorkedMetrics());
  EXPECT_EQ(twice.images(), 4);
  EXPECT_EQ(twice.Compute().all.mean.pq, WorkedMetrics().Compute().all.mean.pq);
  EXPECT_EQ(twice.Compute().categories[0].true_positives, 4);
}

TEST(PanopticMetricsTest, RgbMapsEqualIdMaps) {
  const cv::Mat ids = (cv::Mat_<int32_t>(1, 3) << 66051, 66051, 0);
  const cv::Mat rgb = (cv::Mat_<cv::Vec3b>(1, 3) << cv::Vec3b(3, 2, 1),
                       cv::Vec3b(3, 2, 1), cv::Vec3b(0, 0, 0));
  PanopticMetrics metrics;
  EXPECT_THAT(metrics.Add({ids, {{66051, 7, 2}}}, {rgb, {{66051, 7}}}), IsOk());
  EXPECT_THAT(metrics.Add({rgb, {{66051, 7, 2}}}, {ids, {{66051, 7}}}), IsOk());
  EXPECT_THAT(metrics.Add({rgb, {{66051, 7, 2}}}, {rgb, {{66051, 7}}}), IsOk());
  EXPECT_EQ(metrics.Compute().all.mean.pq, 1);
  EXPECT_EQ(metrics.Compute().categories[0].true_positives, 3);
}

TEST(PanopticMetricsTest, HalfAnOverlapIsNoMatch) {
  const Row row = {{{50, 1, 1}, {50, 1, 2}}, {{1, 7}}, {{1, 7}, {2, 8}}};
  EXPECT_THAT(CountsOf(row, 7), testing::ElementsAre(0, 1, 1));
}

TEST(PanopticMetricsTest, PixelsWithoutTruthDoNotCountAgainstAMatch) {
  const Row row = {{{51, 1, 1}, {40, 0, 1}, {49, 1, 0}}, {{1, 7}}, {{1, 7}}};
  EXPECT_THAT(CountsOf(row, 7), testing::ElementsAre(1, 0, 0));
}

TEST(PanopticMetricsTest, HalfOnACrowdOfItsCategoryIsWrongMoreIsExcused) {
  const PanopticSegment crowd = {1, 26, 0, /*is_crowd=*/true};
  const Row half = {{{50, 1, 5}, {50, 2, 5}}, {crowd, {2, 7}}, {{5, 26}}};
  EXPECT_THAT(CountsOf(half, 26), testing::ElementsAre(0, 1, 0));
  const Row more = {{{51, 1, 5}, {50, 2, 5}}, {crowd, {2, 7}}, {{5, 26}}};
  EXPECT_THAT(CountsOf(more, 26), testing::ElementsAre(0, 0, 0));
  // A crowd of another category excuses nothing.
  const Row other = {{{99, 1, 5}, {1, 2, 5}}, {crowd, {2, 7}}, {{5, 27}}};
  EXPECT_THAT(CountsOf(other, 27), testing::ElementsAre(0, 1, 0));
}

TEST(PanopticMetricsTest, RejectsWhatIsInconsistent) {
  const auto expect = [](const Row& row, const std::string& what) {
    PanopticMetrics metrics;
    EXPECT_THAT(AddRow(row, metrics),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(what)));
    EXPECT_EQ(metrics.images(), 0);
  };
  const std::vector<PanopticSegment> road = {{1, 7}};
  expect({{{9, 1, 2}}, road, {}},
         "map has the segment id 2, which is not in its list");
  expect({{{9, 1, 2}}, road, {{2, 7}, {3, 7}}},
         "lists the segment id 3, which has no pixel");
  expect({{{9, 1, 2}}, road, {{2, 7}, {2, 8}}},
         "the prediction lists the segment id 2 twice");
  expect({{{9, 1, 2}}, {{1, 7}, {1, 8}}, {{2, 7}}},
         "the ground truth lists the segment id 1 twice");
  expect({{{9, 1, 2}}, road, {{2, 0}}}, "category_id 0, which is no category");
  expect({{{9, 1, 2}}, road, {{2, 7}, {0, 7}}}, "a segment with id 0");
}

TEST(PanopticMetricsTest, RejectsMapsThatDoNotFit) {
  PanopticMetrics metrics;
  const cv::Mat map = cv::Mat::zeros(4, 5, CV_32SC1);
  EXPECT_THAT(metrics.Add({map, {}}, {map.colRange(0, 4), {}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("prediction is 4 x 4"),
                             HasSubstr("ground truth 4 x 5"))));
  EXPECT_THAT(metrics.Add({map, {}}, {cv::Mat(4, 5, CV_8UC1), {}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("the prediction is 4 x 5 of CV_8UC1")));
  EXPECT_THAT(metrics.Add({map - 1, {}}, {map, {}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("negative segment id -1")));
}

TEST(PanopticMetricsTest, GroupsWithoutCategoryAreUndefined) {
  PanopticMetrics metrics;
  EXPECT_THAT(AddRow({{{9, 1, 1}}, {{1, 7}}, {{1, 7}}}, metrics), IsOk());
  EXPECT_TRUE(std::isnan(metrics.Compute().things.mean.pq));
  EXPECT_EQ(metrics.Compute().things.categories, 0);
  EXPECT_EQ(metrics.Compute().stuff.mean.pq, 1);
}

}  // namespace
}  // namespace mask2former
