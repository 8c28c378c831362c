#include "mask2former/eval/generic_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/eval/testing/worked_example.h"

namespace mask2former {
namespace {

TEST(GenericScoresTest, EqualTheOfficialOnesOfTheWorkedExample) {
  ConfusionMatrix confusion;
  for (const ExampleImage& image : WorkedExample()) {
    ASSERT_THAT(confusion.Add(image.labels, image.predictions), IsOk());
  }
  EXPECT_EQ(GenericLine(GenericCityscapesScores(confusion)),
            "mIoU 70.2146  fwIoU 85.1414  mACC 73.0398  pACC 89.3113 "
            "(percent)\n");
}

TEST(GenericScoresTest, PredictionsOfNoEvaluatedClassDoNotCount) {
  ConfusionMatrix confusion;
  ASSERT_THAT(confusion.Add((cv::Mat_<uint8_t>(1, 4) << 7, 7, 7, 0),
                            (cv::Mat_<uint8_t>(1, 4) << 7, 8, 0, 8)),
              IsOk());
  const GenericScores scores = GenericCityscapesScores(confusion);
  EXPECT_EQ(scores.pixel_accuracy, 0.5);
  EXPECT_EQ(scores.mean_iou, 0.5);
}

TEST(GenericLineTest, WritesUndefinedScores) {
  EXPECT_EQ(GenericLine(GenericCityscapesScores({})),
            "mIoU nan  fwIoU nan  mACC nan  pACC nan (percent)\n");
}

}  // namespace
}  // namespace mask2former
