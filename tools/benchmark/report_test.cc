#include "mask2former/tools/benchmark/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace mask2former {
namespace {

using ::testing::HasSubstr;

// Three runs of two stages.
BenchmarkReport SomeReport() {
  BenchmarkReport report;
  report.config = "x.textproto";
  report.batch = 2;
  report.threads = 2;
  report.tf32 = "convolutions";
  report.limit = 100;
  report.limit_arithmetic = "TF32";
  const std::vector<std::vector<StageTime>> runs = {
      {{"backbone", 20, 40}, {"labels", 1, 1}},
      {{"backbone", 30, 50}, {"labels", 3, 2}},
      {{"backbone", 10, 20}, {"labels", 2, 3}}};
  Summarize(runs, {{"backbone", 99, 99, 1000000000}, {"labels", 9, 9, 0}},
            report);
  return report;
}

TEST(QuantileTest, IsAValueOfTheList) {
  EXPECT_EQ(Quantile({3, 1, 2}, 0.5), 2);
  EXPECT_EQ(Quantile({4, 3, 1, 2}, 0.5), 2);
  EXPECT_EQ(Quantile({3, 1, 2}, 0.95), 3);
  EXPECT_EQ(Quantile({3, 1, 2}, 1), 3);
  EXPECT_EQ(Quantile({7}, 0.01), 7);
}

TEST(SummarizeTest, TakesQuantilesOfStagesAndOfTheirSum) {
  const BenchmarkReport report = SomeReport();
  ASSERT_EQ(report.stages.size(), 3u);
  EXPECT_EQ(report.stages[0].p50_ms, 20);
  EXPECT_EQ(report.stages[0].p95_ms, 30);
  EXPECT_EQ(report.stages[0].min_ms, 10);
  EXPECT_EQ(report.stages[0].cpu_ms, 40);
  EXPECT_EQ(report.stages[0].gflop, 1);
  EXPECT_EQ(report.stages[0].gflop_per_second, 50);
  EXPECT_EQ(report.stages[0].share_of_limit, 0.5);
  EXPECT_EQ(report.stages[1].gflop, 0);
  // 21, 33, 12
  EXPECT_EQ(report.stages[2].name, "total");
  EXPECT_EQ(report.stages[2].p50_ms, 21);
  EXPECT_EQ(report.stages[2].gflop, 1);
  EXPECT_DOUBLE_EQ(report.busy, 116.0 / (66 * 2));
}

TEST(ReportTest, SaysTheSameAsTextAndAsJson) {
  const BenchmarkReport report = SomeReport();
  const std::string text = TextReport(report);
  EXPECT_THAT(text, HasSubstr("limit: 100 GFLOP/s, a square matrix product in "
                              "TF32 in this run"));
  EXPECT_THAT(text, HasSubstr("backbone                  20.00"));
  EXPECT_THAT(text, HasSubstr("50.0    50%"));
  EXPECT_THAT(text, HasSubstr("95.24 images/s"));
  const nlohmann::json json = nlohmann::json::parse(JsonReport(report));
  EXPECT_EQ(json["stages"][2]["name"], "total");
  EXPECT_EQ(json["stages"][0]["share_of_limit"], 0.5);
  EXPECT_EQ(json["limit_gflop_per_second"], 100);
  EXPECT_EQ(json["limit_arithmetic"], "TF32");
  EXPECT_EQ(json["tf32"], "convolutions");
}

TEST(RunLineTest, SplitsForwardAndLabels) {
  const nlohmann::json line = nlohmann::json::parse(
      RunLine({{"copy", 1, 2}, {"backbone", 10, 20}, {"labels", 5, 6}}));
  EXPECT_EQ(line["forward_ms"], 11);
  EXPECT_EQ(line["labels_ms"], 5);
  EXPECT_EQ(line["cpu_ms"], 28);
  EXPECT_EQ(line["stages_ms"]["backbone"], 10);
  EXPECT_EQ(line["stages_cpu_ms"]["labels"], 6);
}

}  // namespace
}  // namespace mask2former
