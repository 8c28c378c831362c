#ifndef MASK2FORMER_EVAL_TESTING_TASK_FIXTURE_H_
#define MASK2FORMER_EVAL_TESTING_TASK_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/task_evaluation.h"
#include "mask2former/eval/testing/worked_pictures.h"

namespace mask2former {

// A task with the pictures of the worked example and a folder for its files.
class TaskTest : public testing::Test {
 protected:
  explicit TaskTest(const std::function<std::unique_ptr<TaskEvaluation>(
                        const std::string& folder)>& make)
      : folder_(testing::TempDir() + "/task") {
    std::filesystem::remove_all(folder_);
    task_ = make(folder_);
  }

  void WriteAll() {
    for (const EvaluatedPicture& picture : pictures_) {
      ASSERT_THAT(task_->Write(picture), IsOk());
    }
    ASSERT_THAT(task_->FinishFiles(), IsOk());
  }

  // Pictures are 64 x 128.
  void ExpectPanelsOfTheWidthAskedFor() {
    const auto strip = task_->Draw(pictures_[0], {64});
    ASSERT_THAT(strip, IsOk());
    EXPECT_EQ(strip->size(), cv::Size(3 * 64 + 2 * 4, 32));
    pictures_[0].label_ids = cv::Mat();
    pictures_[0].instance_ids = cv::Mat();
    const auto without_truth = task_->Draw(pictures_[0], {64});
    ASSERT_THAT(without_truth, IsOk());
    EXPECT_EQ(without_truth->cols, 2 * 64 + 4);
  }

  void ExpectItNamesTheSecondPicture() {
    EXPECT_THAT(task_->Score(pictures_[1]),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         testing::HasSubstr("aaa_000001_000019: ")));
  }

  std::string folder_;
  std::unique_ptr<TaskEvaluation> task_;
  std::vector<EvaluatedPicture> pictures_ = WorkedPictures();
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_TESTING_TASK_FIXTURE_H_
