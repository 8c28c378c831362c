#include "mask2former/eval/evaluation_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/generic_scores.h"
#include "mask2former/eval/panoptic_truth.h"
#include "mask2former/eval/scores_json.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// All three tasks of the worked example.
Evaluation WorkedEvaluation() {
  CityscapesMetrics semantic;
  PanopticMetrics panoptic;
  InstanceMetrics instance;
  const auto images = WorkedExample();
  const auto segments = WorkedSegments();
  const auto instances = WorkedPredictions();
  for (size_t i = 0; i < images.size(); ++i) {
    EXPECT_THAT(semantic.Add(images[i].labels, images[i].predictions,
                             images[i].instances),
                IsOk());
    PanopticImage predicted = {segments[i].ids, {}};
    for (const int category : segments[i].categories) {
      const auto id = static_cast<int64_t>(predicted.segments.size()) + 1;
      predicted.segments.push_back({id, category});
    }
    EXPECT_THAT(
        panoptic.Add(PanopticTruth(images[i].instances).value(), predicted),
        IsOk());
    auto overlaps = InstanceOverlaps::Create(images[i].instances).value();
    for (const ExampleInstance& one : instances[i]) {
      EXPECT_THAT(overlaps.Add(one.label_id, one.score, one.mask), IsOk());
    }
    instance.Add(overlaps);
  }
  Evaluation evaluation;
  evaluation.semantic = {semantic, semantic.Compute(),
                         GenericCityscapesScores(semantic.confusion())};
  evaluation.panoptic = panoptic.Compute();
  evaluation.instance = instance.Compute();
  return evaluation;
}

double Round(double value) { return std::round(1e4 * value) / 1e4; }

TEST(MetricsJsonTest, HasTheOfficialKeysOfEveryTask) {
  const auto json = nlohmann::json::parse(
      MetricsJson(WorkedEvaluation(), JsonNan::kNull), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  // What the official training code gave for the same predictions.
  EXPECT_EQ(Round(json["sem_seg"]["IoU"]), 54.6114);
  EXPECT_EQ(Round(json["sem_seg"]["iIoU"]), 35.9988);
  EXPECT_EQ(Round(json["sem_seg"]["IoU_sup"]), 92.8925);
  EXPECT_EQ(Round(json["sem_seg"]["iIoU_sup"]), 98.0572);
  EXPECT_EQ(Round(json["sem_seg_generic"]["mIoU"]), 70.2146);
  EXPECT_EQ(Round(json["sem_seg_generic"]["pACC"]), 89.3113);
  EXPECT_EQ(Round(json["segm"]["AP"]), 63.0208);
  EXPECT_EQ(Round(json["segm"]["AP50"]), 80.2083);
  EXPECT_EQ(Round(json["panoptic_seg"]["PQ"]), 57.6310);
  EXPECT_EQ(Round(json["panoptic_seg"]["SQ_th"]), 51.8409);
  EXPECT_EQ(Round(json["panoptic_seg"]["RQ_st"]), 75);
  // The stand-alone programs' entries.
  EXPECT_EQ(Round(json["averageScoreClasses"]), 0.5461);
  EXPECT_EQ(Round(json["averages"]["allAp50%"]), 0.8021);
  EXPECT_EQ(json["All"]["n"], 9);
}

TEST(MetricsJsonTest, OfOneTaskHasOnlyItsOwn) {
  Evaluation evaluation = WorkedEvaluation();
  evaluation.panoptic.reset();
  evaluation.instance.reset();
  const auto json = nlohmann::json::parse(
      MetricsJson(evaluation, JsonNan::kNull), nullptr, false);
  const auto official = nlohmann::json::parse(
      OfficialJson(evaluation.semantic->metrics, JsonNan::kNull), nullptr,
      false);
  EXPECT_EQ(json.size(), official.size() + 2);
  for (const auto& [key, value] : official.items()) {
    EXPECT_EQ(json[key], value) << key;
  }
}

TEST(MetricsJsonTest, NamesTellOfTestTimeAugmentation) {
  Evaluation evaluation;
  evaluation.semantic = WorkedEvaluation().semantic;
  const auto plain = nlohmann::json::parse(
      MetricsJson(evaluation, JsonNan::kNull), nullptr, false);
  evaluation.test_time_augmentation = true;
  const auto json = nlohmann::json::parse(
      MetricsJson(evaluation, JsonNan::kNull), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json.size(), plain.size());
  EXPECT_EQ(json["sem_seg_TTA"], plain["sem_seg"]);
  EXPECT_EQ(json["sem_seg_generic_TTA"], plain["sem_seg_generic"]);
  EXPECT_FALSE(json.contains("sem_seg"));
  EXPECT_THAT(EvaluationTables(evaluation),
              testing::StartsWith("With test-time augmentation"));
}

TEST(EvaluationTablesTest, ShowEveryTaskThatWasScored) {
  Evaluation evaluation = WorkedEvaluation();
  EXPECT_THAT(EvaluationTables(evaluation),
              AllOf(HasSubstr("Score Average : 0.546    0.360"),
                    HasSubstr("mIoU 70.2146"), HasSubstr("Category"),
                    HasSubstr("AP_50%")));
  evaluation.semantic.reset();
  EXPECT_THAT(EvaluationTables(evaluation),
              AllOf(HasSubstr("AP_50%"), Not(HasSubstr("Score Average")),
                    Not(HasSubstr("test-time"))));
  EXPECT_THAT(EvaluationTables({}), IsEmpty());
}

TEST(IsAllVoidTest, IsWhereNoTaskHadAnythingToFind) {
  Evaluation full = WorkedEvaluation(), empty;
  EXPECT_FALSE(IsAllVoid(full));
  EXPECT_FALSE(IsAllVoid(empty)) << "nothing was scored";
  CityscapesMetrics semantic;
  const cv::Mat zeros = cv::Mat::zeros(2, 3, CV_8UC1);
  ASSERT_THAT(semantic.Add(zeros, zeros + 7, {}), IsOk());
  empty.semantic = {semantic, semantic.Compute(),
                    GenericCityscapesScores(semantic.confusion())};
  EXPECT_TRUE(IsAllVoid(empty));
  full.semantic.reset();
  EXPECT_FALSE(IsAllVoid(full));
  empty.semantic.reset();
  empty.panoptic = PanopticMetrics().Compute();
  EXPECT_TRUE(IsAllVoid(empty));
  full.panoptic.reset();
  EXPECT_FALSE(IsAllVoid(full));
  empty.panoptic.reset();
  empty.instance = InstanceMetrics().Compute();
  EXPECT_TRUE(IsAllVoid(empty));
}

TEST(MainScoresTest, AreFractionsInOrder) {
  const auto scores = MainScores(WorkedEvaluation());
  ASSERT_EQ(scores.size(), 9 + 8 + 2);
  EXPECT_EQ(scores[0].first, "PQ");
  EXPECT_NEAR(scores[0].second, 0.5763102441575941, 1e-12);
  EXPECT_EQ(scores[9].first, "IoU");
  EXPECT_EQ(scores.back().first, "AP50");
  EXPECT_NEAR(scores.back().second, 0.8020833333, 1e-9);
  EXPECT_THAT(MainScores({}), IsEmpty());
}

}  // namespace
}  // namespace mask2former
