#include "mask2former/eval/score_semantic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/test_folder.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ScoreSemanticTest : public testing::Test {
 protected:
  void SetUp() override {
    const std::string root = FreshTestFolder();
    options_.ground_truth = root + "/gtFine/val";
    options_.predictions = root + "/results";
    ASSERT_THAT(CreateDirectories(options_.ground_truth + "/aaa"), IsOk());
    ASSERT_THAT(CreateDirectories(options_.predictions), IsOk());
    for (const ExampleImage& image : WorkedExample()) Write(image);
  }

  std::string PredictionOf(const std::string& name) const {
    return absl::StrCat(options_.predictions, "/", name, "_pred.png");
  }

  void Write(const ExampleImage& image) {
    const std::string stem =
        absl::StrCat(options_.ground_truth, "/aaa/", image.name);
    ASSERT_THAT(WritePngAtomically(stem + "_gtFine_labelIds.png", image.labels),
                IsOk());
    ASSERT_THAT(
        WritePngAtomically(stem + "_gtFine_instanceIds.png", image.instances),
        IsOk());
    ASSERT_THAT(WritePngAtomically(PredictionOf(image.name), image.predictions),
                IsOk());
  }

  std::string OfficialText() {
    return *ReadFile("eval/testdata/worked_example_official.txt");
  }

  ScoreSemanticOptions options_;
};

TEST_F(ScoreSemanticTest, PrintsAndReturnsWhatTheOfficialProgramDoes) {
  for (const int threads : {0, 1, 2, 9}) {
    options_.threads = threads;
    std::ostringstream console;
    const auto metrics = ScoreSemantic(options_, console);
    ASSERT_THAT(metrics, IsOk());
    EXPECT_EQ(console.str(), OfficialText());
    EXPECT_NEAR(metrics->Compute().mean_class_instance_iou, 0.35998823533369456,
                1e-15);
    EXPECT_FALSE(LooksLikeTrainIds(metrics->confusion()));
  }
}

TEST_F(ScoreSemanticTest, TheProgramDoesTheSame) {
  const std::string text = options_.predictions + "/../console.txt";
  const std::string json_path = options_.predictions + "/../scores.json";
  const std::string command = absl::StrCat(
      "eval/score --task=semantic --ground_truth=", options_.ground_truth,
      " --predictions=", options_.predictions, " --json=", json_path,
      " --valid_json");
  ASSERT_EQ(std::system(absl::StrCat(command, " > ", text).c_str()), 0);
  // And a line of its own.
  EXPECT_EQ(*ReadFile(text),
            OfficialText() +
                "mIoU 70.2146  fwIoU 85.1414  mACC 73.0398  pACC 89.3113 "
                "(percent)\n");
  const nlohmann::json json =
      nlohmann::json::parse(*ReadFile(json_path), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["classScores"]["person"], 0.6);
  // Errors go to standard error, with a non-zero exit code.
  EXPECT_NE(
      std::system(absl::StrCat(command, " --task=nothing 2> ", text).c_str()),
      0);
  EXPECT_NE(std::system("eval/score 2> /dev/null"), 0);
  EXPECT_NE(
      std::system(absl::StrCat(command, " --color=red 2> /dev/null").c_str()),
      0);
}

TEST_F(ScoreSemanticTest, ReadsTrainIds) {
  std::ostringstream console;
  options_.quiet = true;
  const auto expected = ScoreSemantic(options_, console);
  ASSERT_THAT(expected, IsOk());
  for (ExampleImage image : WorkedExample()) {
    for (int y = 0; y < image.predictions.rows; ++y) {
      for (int x = 0; x < image.predictions.cols; ++x) {
        uint8_t& id = image.predictions.at<uint8_t>(y, x);
        id = CityscapesIdToTrainId()[id];
      }
    }
    Write(image);
  }
  options_.holds_train_ids = true;
  const auto metrics = ScoreSemantic(options_, console);
  ASSERT_THAT(metrics, IsOk());
  // The example predicts a caravan, which is no train id.
  EXPECT_EQ(metrics->confusion().count(29, 0), 60);
  for (int id = 0; id < 29; ++id) {
    EXPECT_EQ(metrics->confusion().count(id, id),
              expected->confusion().count(id, id));
  }
  EXPECT_EQ(console.str(), "");
}

TEST_F(ScoreSemanticTest, TrainIdsTakenForLabelIdsAreRecognised) {
  for (ExampleImage image : WorkedExample()) {
    image.predictions.setTo(0, image.labels == 7);
    image.predictions.setTo(2, image.labels == 11);
    image.predictions.setTo(10, image.labels == 23);
    image.predictions.setTo(13, image.predictions > 18);
    Write(image);
  }
  std::ostringstream console;
  const auto metrics = ScoreSemantic(options_, console);
  ASSERT_THAT(metrics, IsOk());
  EXPECT_TRUE(LooksLikeTrainIds(metrics->confusion()));
}

TEST_F(ScoreSemanticTest, ListsEveryImageThatCannotBeScored) {
  ExampleImage image = WorkedExample()[0];
  const auto write = [&](const std::string& name, const cv::Mat& prediction) {
    image.name = name;
    image.predictions = prediction;
    Write(image);
  };
  write("aaa_000002_000019", cv::Mat(64, 64, CV_8UC1, cv::Scalar(7)));
  write("aaa_000003_000019", cv::Mat(64, 128, CV_8UC1, cv::Scalar(255)));
  write("aaa_000004_000019", cv::Mat(64, 128, CV_8UC3, cv::Scalar(7, 7, 7)));
  write("aaa_000005_000019", cv::Mat(64, 128, CV_8UC1, cv::Scalar(7)));
  ASSERT_THAT(WriteFileAtomically(PredictionOf("aaa_000005_000019"), "no PNG"),
              IsOk());
  std::ostringstream console;
  EXPECT_THAT(
      ScoreSemantic(options_, console),
      StatusIs(
          absl::StatusCode::kInvalidArgument,
          AllOf(HasSubstr("4 of 6 images cannot be scored"),
                HasSubstr(PredictionOf("aaa_000002_000019") +
                          ": the prediction is 64 x 64 (height x width), "
                          "the ground truth 64 x 128"),
                HasSubstr(PredictionOf("aaa_000003_000019") +
                          ": the prediction has the value 255 at 8192 "
                          "pixels"),
                HasSubstr(PredictionOf("aaa_000004_000019") + " is 8-bit RGB"),
                HasSubstr(PredictionOf("aaa_000005_000019")))));
  EXPECT_THAT(console.str(), Not(HasSubstr("Score Average")));
}

}  // namespace
}  // namespace mask2former
