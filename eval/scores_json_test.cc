#include "mask2former/eval/scores_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

CityscapesMetrics ExampleMetrics() {
  CityscapesMetrics metrics;
  for (const ExampleImage& image : WorkedExample()) {
    EXPECT_THAT(metrics.Add(image.labels, image.predictions, image.instances),
                IsOk());
  }
  return metrics;
}

// Equal line by line; instance scores may differ in their last digit, which
// depends on the order of summation in the official program.
TEST(ScoresJsonTest, EqualsTheOfficialProgram) {
  const auto official = ReadFile("eval/testdata/worked_example_official.json");
  ASSERT_THAT(official, IsOk());
  const std::string json = OfficialJson(ExampleMetrics());
  const std::vector<std::string> expected = absl::StrSplit(*official, '\n');
  const std::vector<std::string> actual = absl::StrSplit(json, '\n');
  ASSERT_EQ(actual.size(), expected.size());
  int different = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (actual[i] == expected[i]) continue;
    ++different;
    const size_t colon = expected[i].find(": ");
    ASSERT_NE(colon, std::string::npos) << expected[i];
    EXPECT_EQ(actual[i].substr(0, colon), expected[i].substr(0, colon));
    EXPECT_NEAR(std::stod(actual[i].substr(colon + 2)),
                std::stod(expected[i].substr(colon + 2)), 1e-15)
        << expected[i];
  }
  EXPECT_LE(different, 2);
}

TEST(ScoresJsonTest, IsValidJsonWhereNanIsNull) {
  const nlohmann::json json = nlohmann::json::parse(
      OfficialJson(ExampleMetrics(), JsonNan::kNull), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["classScores"]["person"], 0.6);
  EXPECT_TRUE(json["classScores"]["wall"].is_null());
  EXPECT_EQ(json["confMatrix"][26][27], 100);
  EXPECT_EQ(json["labels"]["bicycle"], 33);
  EXPECT_NEAR(json["averageScoreInstClasses"].get<double>(),
              0.35998823533369456, 1e-15);
}

// One pixel in many makes a prior that Python writes with an exponent.
TEST(ScoresJsonTest, WritesSmallNumbersAsPythonDoes) {
  CityscapesMetrics metrics;
  cv::Mat labels(250, 400, CV_8UC1, cv::Scalar(7));
  labels.at<uint8_t>(0, 0) = 8;
  ASSERT_THAT(metrics.Add(labels, labels, cv::Mat()), IsOk());
  const std::string json = OfficialJson(metrics);
  EXPECT_THAT(json, HasSubstr("\"sidewalk\": 1e-05"));
  EXPECT_THAT(json, HasSubstr("\"road\": 0.99999,"));
  EXPECT_THAT(json, HasSubstr("\"road\": 1.0,"));
  EXPECT_THAT(json, HasSubstr("\"averageScoreInstClasses\": NaN"));
}

}  // namespace
}  // namespace mask2former
