#include "mask2former/eval/instance_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/instance_predictions.h"
#include "mask2former/eval/testing/task_fixture.h"

namespace mask2former {
namespace {

using ::testing::EndsWith;
using ::testing::SizeIs;

class InstanceTaskTest : public TaskTest {
 protected:
  InstanceTaskTest()
      : TaskTest([](const std::string& folder) {
          return MakeInstanceTask(CityscapesNetworkClasses(19).value(), folder);
        }) {}
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
  WriteAll();
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
  ExpectPanelsOfTheWidthAskedFor();
}

TEST_F(InstanceTaskTest, NamesThePictureThatCannotBeScored) {
  pictures_[1].instance_ids.at<uint16_t>(0, 0) = 60000;
  ExpectItNamesTheSecondPicture();
}

}  // namespace
}  // namespace mask2former
