#include "mask2former/eval/own_classes_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Sound 6 of 8 right, crack 1 of 2, no hole anywhere.
OwnClassesResult Result() {
  GenericMetrics metrics(3);
  const cv::Mat truth =
      (cv::Mat_<uint8_t>(1, 10) << 0, 0, 0, 0, 0, 0, 0, 0, 1, 1);
  const cv::Mat seen =
      (cv::Mat_<uint8_t>(1, 10) << 0, 0, 0, 0, 0, 0, 1, 1, 1, 0);
  EXPECT_THAT(metrics.Add(truth, seen), IsOk());
  OwnClassesResult result;
  result.names = {"sound", "crack", "hole"};
  result.colors = {{0, 0, 0}, {255, 0, 0}, {0, 255, 0}};
  result.is_thing = {false, false, false};
  result.scores = metrics.Compute();
  result.counts = metrics.counts();
  return result;
}

TEST(OwnClassesReportTest, TablesHaveEveryClassAndTheMeans) {
  EXPECT_EQ(OwnClassesTable(Result()),
            "class                         IoU accuracy\n"
            "sound                      0.6667   0.7500\n"
            "crack                      0.2500   0.5000\n"
            "hole                          nan      nan\n"
            "mean                       0.4583   0.6250\n");
}

TEST(OwnClassesReportTest, ThingsAndStuffHaveMeansOfTheirOwn) {
  OwnClassesResult result = Result();
  EXPECT_FALSE(HasBothKinds(result));
  EXPECT_THAT(OwnClassesTable(result), Not(HasSubstr("things")));
  result.is_thing[1] = true;
  EXPECT_TRUE(HasBothKinds(result));
  EXPECT_DOUBLE_EQ(MeansOfKind(result, true).iou, 0.25);
  EXPECT_DOUBLE_EQ(MeansOfKind(result, false).accuracy, 0.75);
  EXPECT_THAT(OwnClassesTable(result),
              HasSubstr("mean of things             0.2500   0.5000\n"
                        "mean of stuff              0.6667   0.7500\n"));
  result.is_thing = {false, false, true};
  EXPECT_TRUE(std::isnan(MeansOfKind(result, true).iou)) << "no hole was seen";
}

TEST(OwnClassesReportTest, JsonHasNullWhereAScoreIsUndefined) {
  OwnClassesResult result = Result();
  result.is_thing[1] = true;
  const auto json = nlohmann::json::parse(OwnClassesJson(result), nullptr,
                                          /*allow_exceptions=*/false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_DOUBLE_EQ(json["pACC"], 0.7);
  EXPECT_DOUBLE_EQ(json["mACC"], 0.625);
  EXPECT_DOUBLE_EQ(json["classes"]["crack"]["IoU"], 0.25);
  EXPECT_TRUE(json["classes"]["hole"]["IoU"].is_null());
  EXPECT_DOUBLE_EQ(json["things"]["accuracy"], 0.5);
  EXPECT_DOUBLE_EQ(json["stuff"]["accuracy"], 0.75);
  const auto marked =
      nlohmann::json::parse(OwnClassesJson(result, "_TTA"), nullptr,
                            /*allow_exceptions=*/false);
  EXPECT_EQ(marked.size(), json.size());
  for (const auto& [key, value] : json.items()) {
    EXPECT_EQ(marked[key + "_TTA"], value) << key;
  }
}

}  // namespace
}  // namespace mask2former
