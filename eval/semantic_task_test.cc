#include "mask2former/eval/semantic_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/testing/task_fixture.h"

namespace mask2former {
namespace {

class SemanticTaskTest : public TaskTest {
 protected:
  SemanticTaskTest() : TaskTest(MakeSemanticTask) {}
};

TEST_F(SemanticTaskTest, ScoresLikeTheOfficialProgram) {
  for (const EvaluatedPicture& picture : pictures_) {
    ASSERT_THAT(task_->Score(picture), IsOk());
  }
  Evaluation evaluation;
  task_->Report(evaluation);
  EXPECT_NEAR(evaluation.semantic->scores.mean_class_iou, 0.5461136588693251,
              1e-12);
  EXPECT_NEAR(evaluation.semantic->scores.mean_class_instance_iou,
              0.35998823533369456, 1e-12);
  EXPECT_NEAR(evaluation.semantic->generic.mean_iou, 0.702146, 5e-7);
  EXPECT_EQ(evaluation.semantic->metrics.images(), 2);
}

TEST_F(SemanticTaskTest, SaysHowGoodEachPictureIsAlone) {
  pictures_[0].label_ids(cv::Rect(0, 0, 128, 64)).setTo(7);
  pictures_[0].prediction.train_ids.setTo(0);
  pictures_[0].prediction.train_ids.colRange(0, 32).setTo(1);
  const auto score = task_->Score(pictures_[0]);
  ASSERT_THAT(score, IsOk());
  // Road 3 / 4, sidewalk 0.
  EXPECT_DOUBLE_EQ(*score, 0.375);
}

TEST_F(SemanticTaskTest, WritesLabelIds) {
  WriteAll();
  const auto written =
      ReadPng(folder_ + "/semantic/aaa_000000_000019_leftImg8bit_pred.png",
              PngFormat::kGray8);
  ASSERT_THAT(written, IsOk());
  EXPECT_EQ(written->at<uint8_t>(0, 0), 23);
  EXPECT_EQ(written->at<uint8_t>(50, 20), 26);
}

TEST_F(SemanticTaskTest, DrawsPanelsOfTheWidthAskedFor) {
  ExpectPanelsOfTheWidthAskedFor();
}

TEST_F(SemanticTaskTest, MayLayTheLabelsOverThePicture) {
  const auto labels = task_->Draw(pictures_[0], {128});
  const auto overlay = task_->Draw(pictures_[0], {128, /*overlay=*/true});
  ASSERT_THAT(labels, IsOk());
  ASSERT_THAT(overlay, IsOk());
  // Sky, (70, 130, 180), and 6 parts of it to 4 of gray.
  EXPECT_EQ(labels->at<cv::Vec3b>(0, 132), cv::Vec3b(70, 130, 180));
  EXPECT_EQ(overlay->at<cv::Vec3b>(0, 132), cv::Vec3b(93, 129, 159));
}

TEST_F(SemanticTaskTest, NamesThePictureThatCannotBeScored) {
  pictures_[1].prediction.train_ids.at<uint8_t>(0, 0) = 77;
  ExpectItNamesTheSecondPicture();
}

}  // namespace
}  // namespace mask2former
