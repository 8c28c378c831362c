#include "mask2former/eval/instance_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/testing/worked_example.h"
#include "mask2former/eval/text_color.h"

namespace mask2former {
namespace {

InstanceScores Scores() {
  InstanceMetrics metrics;
  const std::vector<ExampleImage> images = WorkedExample();
  const std::vector<std::vector<ExampleInstance>> predictions =
      WorkedPredictions();
  for (size_t i = 0; i < images.size(); ++i) {
    auto overlaps = InstanceOverlaps::Create(images[i].instances);
    for (const ExampleInstance& p : predictions[i]) {
      EXPECT_THAT(overlaps->Add(p.label_id, p.score, p.mask), IsOk());
    }
    metrics.Add(*overlaps);
  }
  return metrics.Compute();
}

TEST(InstanceReportTest, PrintsTheOfficialTable) {
  EXPECT_EQ(InstanceTable(Scores()),
            *ReadFile("eval/testdata/worked_example_instances.txt"));
}

TEST(InstanceReportTest, ColoursTheTable) {
  const std::string table = InstanceTable(Scores(), TextColor::kOn);
  EXPECT_TRUE(absl::StrContains(
      table,
      "\nperson         :\033[32;1m          0.800\033[32;1m          "
      "1.000\033[0m\n"));
  EXPECT_TRUE(absl::StrContains(table, "\n\033[1mwhat "));
}

TEST(InstanceReportTest, WritesTheOfficialFile) {
  // Equal but for the last digits of sums.
  const auto parse = [](const std::string& text) {
    std::string valid = text;
    for (const std::string name : {"NaN", "-Infinity", "Infinity"}) {
      for (size_t at = 0; (at = valid.find(name)) != std::string::npos;) {
        valid.replace(at, name.size(), "null");
      }
    }
    return nlohmann::json::parse(valid, nullptr, false).flatten();
  };
  const std::string ours_text = InstanceJson(Scores());
  const std::string official_text =
      *ReadFile("eval/testdata/worked_example_instances.json");
  const nlohmann::json ours = parse(ours_text);
  const nlohmann::json official = parse(official_text);
  ASSERT_GT(official.size(), 100u);
  ASSERT_EQ(ours.size(), official.size());
  for (const auto& [key, value] : official.items()) {
    ASSERT_TRUE(ours.contains(key)) << key;
    EXPECT_EQ(ours[key].type(), value.type()) << key;
    if (value.is_number()) {
      EXPECT_NEAR(ours[key].get<double>(), value.get<double>(), 1e-15) << key;
    } else {
      EXPECT_EQ(ours[key], value) << key;
    }
  }
  // The same layout, too: line by line up to the first number that may differ.
  EXPECT_EQ(std::count(ours_text.begin(), ours_text.end(), '\n'),
            std::count(official_text.begin(), official_text.end(), '\n'));
  EXPECT_EQ(ours_text.substr(0, 30), official_text.substr(0, 30));
}

TEST(InstanceReportTest, WritesValidJsonIfAskedTo) {
  const nlohmann::json json = nlohmann::json::parse(
      InstanceJson(Scores(), JsonNan::kNull), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_TRUE(json["averages"]["classes"]["train"]["ap"].is_null());
  EXPECT_EQ(json["averages"]["classes"]["person"]["ap50%"], 1.0);
}

}  // namespace
}  // namespace mask2former
