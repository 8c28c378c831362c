#include "mask2former/eval/panoptic_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/panoptic_truth.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

PanopticScores Scores() {
  PanopticMetrics metrics;
  const std::vector<ExampleImage> images = WorkedExample();
  const std::vector<ExampleSegments> predictions = WorkedSegments();
  for (size_t i = 0; i < images.size(); ++i) {
    PanopticImage prediction = {predictions[i].ids, {}};
    for (size_t s = 0; s < predictions[i].categories.size(); ++s) {
      prediction.segments.push_back(
          {static_cast<int64_t>(s + 1), predictions[i].categories[s]});
    }
    EXPECT_THAT(metrics.Add(*PanopticTruth(images[i].instances), prediction),
                IsOk());
  }
  return metrics.Compute();
}

TEST(PanopticReportTest, PrintsTheOfficialTable) {
  EXPECT_EQ(PanopticTable(Scores()),
            *ReadFile("eval/testdata/worked_example_panoptic.txt"));
}

TEST(PanopticReportTest, WritesTheOfficialFile) {
  const std::string ours = PanopticJson(Scores());
  const std::string official =
      *ReadFile("eval/testdata/worked_example_panoptic.json");
  const nlohmann::json a = nlohmann::json::parse(ours, nullptr, false);
  const nlohmann::json b = nlohmann::json::parse(official, nullptr, false);
  ASSERT_FALSE(a.is_discarded());
  const nlohmann::json flat_a = a.flatten(), flat_b = b.flatten();
  ASSERT_EQ(flat_a.size(), flat_b.size());
  for (const auto& [key, value] : flat_b.items()) {
    ASSERT_TRUE(flat_a.contains(key)) << key;
    EXPECT_EQ(flat_a[key].type(), value.type()) << key;
    EXPECT_NEAR(flat_a[key].get<double>(), value.get<double>(), 1e-15) << key;
  }
  // The same lines in the same order; only digits of sums may differ.
  EXPECT_EQ(ours.substr(0, ours.find("\"pq\"")),
            official.substr(0, official.find("\"pq\"")));
  EXPECT_EQ(ours.substr(ours.rfind("\"33\""), 20),
            official.substr(official.rfind("\"33\""), 20));
}

TEST(PanopticReportTest, WritesUndefinedGroups) {
  const std::string json = PanopticJson(PanopticMetrics().Compute());
  EXPECT_THAT(json, testing::HasSubstr("\"pq\": NaN"));
  EXPECT_THAT(
      PanopticTable(PanopticMetrics().Compute()),
      testing::HasSubstr("\nAll           |   nan    nan    nan     0"));
  EXPECT_TRUE(nlohmann::json::parse(
                  PanopticJson(PanopticMetrics().Compute(), JsonNan::kNull),
                  nullptr, false)["All"]["pq"]
                  .is_null());
}

}  // namespace
}  // namespace mask2former
