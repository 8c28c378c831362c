#include "mask2former/eval/instance_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/instance_predictions.h"
#include "mask2former/eval/testing/worked_pictures.h"

namespace mask2former {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class InstanceTaskTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "/instance_task";
    std::filesystem::remove_all(folder_);
    task_ = MakeInstanceTask(CityscapesNetworkClasses(19).value(), folder_);
  }

  std::string folder_;
  std::unique_ptr<TaskEvaluation> task_;
  std::vector<EvaluatedPicture> pictures_ = WorkedPictures();
};

TEST_F(InstanceTaskTest, ScoresLikeTheOfficialProgram) {
  for (const EvaluatedPicture& picture : pictures_) {
    const auto score = task_->Score(picture);
    ASSERT_THAT(score, IsOk());
    EXPECT_GT(*score, 0.3);
    EXPECT_LT(*score, 0.9);
  }
  Evaluation evaluation;
  task_->Report(evaluation);
  EXPECT_NEAR(evaluation.instance->mean_ap, 0.6302083333, 1e-9);
  EXPECT_NEAR(evaluation.instance->mean_ap50, 0.8020833333, 1e-9);
  EXPECT_FALSE(evaluation.semantic.has_value());
}

TEST_F(InstanceTaskTest, WritesTheFormatOfTheOfficialWrapper) {
  pictures_[1].prediction.instances.clear();
  for (const EvaluatedPicture& picture : pictures_) {
    ASSERT_THAT(task_->Write(picture), IsOk());
  }
  ASSERT_THAT(task_->FinishFiles(), IsOk());
  const std::string root = folder_ + "/instance";
  const auto lines = ReadInstancePredictions(
      root + "/aaa_000000_000019_leftImg8bit_pred.txt", root);
  ASSERT_THAT(lines, IsOk());
  ASSERT_THAT(*lines, SizeIs(9));
  EXPECT_EQ((*lines)[0].label_id, 26);
  EXPECT_EQ((*lines)[0].score, 0.9f);
  EXPECT_THAT((*lines)[6].mask,
              EndsWith("/aaa_000000_000019_leftImg8bit_6_rider.png"));
  // A picture without instances has an empty file.
  const auto none = ReadInstancePredictions(
      root + "/aaa_000001_000019_leftImg8bit_pred.txt", root);
  ASSERT_THAT(none, IsOk());
  EXPECT_THAT(*none, SizeIs(0));
}

TEST_F(InstanceTaskTest, DrawsPanelsOfTheWidthAskedFor) {
  const auto strip = task_->Draw(pictures_[0], {64});
  ASSERT_THAT(strip, IsOk());
  EXPECT_EQ(strip->size(), cv::Size(3 * 64 + 2 * 4, 32));
  pictures_[0].label_ids = cv::Mat();
  pictures_[0].instance_ids = cv::Mat();
  const auto without_truth = task_->Draw(pictures_[0], {64});
  ASSERT_THAT(without_truth, IsOk());
  EXPECT_EQ(without_truth->cols, 2 * 64 + 4);
}

TEST_F(InstanceTaskTest, NamesThePictureThatCannotBeScored) {
  pictures_[1].instance_ids.at<uint16_t>(0, 0) = 60000;
  EXPECT_THAT(task_->Score(pictures_[1]),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("aaa_000001_000019: ")));
}

}  // namespace
}  // namespace mask2former
