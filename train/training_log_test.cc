#include "mask2former/train/training_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class TrainingLogTest : public testing::Test {
 protected:
  void SetUp() override {
    options_.output_dir =
        testing::TempDir() + "/training_log_" +
        testing::UnitTest::GetInstance()->current_test_info()->name();
    options_.max_iter = 5;
    options_.period = 2;
    std::filesystem::remove_all(options_.output_dir);
    ASSERT_THAT(CreateDirectories(options_.output_dir), IsOk());
  }

  // Steps from..to, with a loss of 7 each: 1 + 2 + 3 of the last prediction and
  // 1 of an auxiliary one.
  static void AddSteps(int from, int to, TrainingLog& log) {
    StepReport report;
    report.losses = {{1, 2, 3}, {0.5, 0.25, 0.25}};
    report.total = 7;
    report.lr = 0.125;
    for (int i = from; i <= to; ++i) {
      ASSERT_THAT(log.AddStep(i, report, /*data_seconds=*/0.5,
                              /*step_seconds=*/1.5),
                  IsOk());
    }
  }

  std::vector<nlohmann::json> Lines() const {
    std::vector<nlohmann::json> lines;
    const std::string text =
        ReadFile(options_.output_dir + "/metrics.jsonl").value();
    for (const absl::string_view line :
         absl::StrSplit(text, '\n', absl::SkipEmpty())) {
      lines.push_back(nlohmann::json::parse(std::string(line), nullptr,
                                            /*allow_exceptions=*/false));
    }
    return lines;
  }

  // All event files, one behind the other.
  std::string Events() const {
    std::string bytes;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.output_dir)) {
      if (absl::StrContains(entry.path().filename().string(), "tfevents")) {
        bytes += ReadFile(entry.path().string()).value();
      }
    }
    return bytes;
  }

  TrainingLogOptions options_;
};

TEST_F(TrainingLogTest, WritesALinePerPeriodAndOneAtTheEnd) {
  const auto log = TrainingLog::Open(options_, std::nullopt);
  ASSERT_THAT(log, IsOk());
  AddSteps(1, 5, **log);
  const std::vector<nlohmann::json> lines = Lines();
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0]["iteration"], 2);
  EXPECT_EQ(lines[1]["iteration"], 4);
  EXPECT_EQ(lines[2]["iteration"], 5);
}

TEST_F(TrainingLogTest, SplitsTheLossAndAddsTheTimes) {
  const auto log = TrainingLog::Open(options_, std::nullopt);
  ASSERT_THAT(log, IsOk());
  AddSteps(1, 2, **log);
  ASSERT_THAT(Lines(), SizeIs(1));
  const nlohmann::json line = Lines()[0];
  EXPECT_EQ(line["loss"], 7);
  EXPECT_EQ(line["loss/class"], 1);
  EXPECT_EQ(line["loss/mask"], 2);
  EXPECT_EQ(line["loss/dice"], 3);
  EXPECT_EQ(line["loss/auxiliary"], 1);
  EXPECT_EQ(line["lr"], 0.125);
  EXPECT_EQ(line["data_seconds"], 0.5);
  EXPECT_EQ(line["step_seconds"], 2);
  EXPECT_GT(line["memory_bytes"], 0);
  EXPECT_THAT(Events(), HasSubstr("loss/auxiliary"));
}

TEST_F(TrainingLogTest, TellsOfEvaluationsWithTheirPictures) {
  const auto log = TrainingLog::Open(options_, std::nullopt);
  ASSERT_THAT(log, IsOk());
  EvaluationRecord record;
  record.metrics = {{"IoU", 0.5}};
  record.pictures = {{"ulm", "", cv::Mat(2, 3, CV_8UC3, cv::Scalar(1, 2, 3))}};
  ASSERT_THAT((*log)->AddEvaluation(3, record), IsOk());
  ASSERT_THAT(Lines(), SizeIs(1));
  EXPECT_EQ(Lines()[0]["iteration"], 3);
  EXPECT_EQ(Lines()[0]["val/IoU"], 0.5);
  EXPECT_THAT(Events(), HasSubstr("val/IoU"));
  EXPECT_THAT(Events(), HasSubstr("val/ulm"));
}

TEST_F(TrainingLogTest, GoesOnAfterWhatStays) {
  {
    const auto log = TrainingLog::Open(options_, std::nullopt);
    ASSERT_THAT(log, IsOk());
    AddSteps(1, 4, **log);
  }
  const auto log = TrainingLog::Open(options_, /*resume_after=*/2);
  ASSERT_THAT(log, IsOk());
  AddSteps(3, 5, **log);
  const std::vector<nlohmann::json> lines = Lines();
  ASSERT_THAT(lines, SizeIs(3));
  EXPECT_EQ(lines[0]["iteration"], 2);
  EXPECT_EQ(lines[1]["iteration"], 4);
  EXPECT_EQ(lines[2]["iteration"], 5);
}

TEST_F(TrainingLogTest, TensorBoardCanBeLeftOut) {
  options_.tensorboard = false;
  const auto log = TrainingLog::Open(options_, std::nullopt);
  ASSERT_THAT(log, IsOk());
  AddSteps(1, 2, **log);
  EXPECT_THAT(Events(), IsEmpty());
  EXPECT_THAT(Lines(), SizeIs(1));
}

TEST_F(TrainingLogTest, RefusesTheFolderOfAnotherRun) {
  ASSERT_THAT(WriteFileAtomically(options_.output_dir + "/metrics.jsonl",
                                  "{\"iteration\":1}\n"),
              IsOk());
  EXPECT_THAT(
      TrainingLog::Open(options_, std::nullopt),
      StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("metrics.jsonl")));
}

}  // namespace
}  // namespace mask2former
