#include "mask2former/eval/train_ids.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

TEST(TrainIdsToLabelIdsTest, MapsClassesAndNoClass) {
  cv::Mat train_ids(2, 10, CV_8UC1, cv::Scalar(255));
  for (int i = 0; i < 19; ++i) train_ids.at<uint8_t>(i / 10, i % 10) = i;
  const auto ids = TrainIdsToLabelIds(train_ids);
  ASSERT_THAT(ids, IsOk());
  for (int i = 0; i < 19; ++i) {
    EXPECT_EQ(ids->at<uint8_t>(i / 10, i % 10), CityscapesClass(i).id);
  }
  EXPECT_EQ(ids->at<uint8_t>(1, 9), 0);
}

TEST(TrainIdsToLabelIdsTest, RejectsOtherValuesAndTypes) {
  cv::Mat train_ids(2, 10, CV_8UC1, cv::Scalar(18));
  train_ids.at<uint8_t>(1, 4) = 19;
  EXPECT_THAT(
      TrainIdsToLabelIds(train_ids),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("the value 19 at row 1, column 4; train ids are")));
  for (const cv::Mat& image :
       {cv::Mat(), cv::Mat(2, 2, CV_8UC3), cv::Mat(2, 2, CV_32SC1)}) {
    EXPECT_THAT(TrainIdsToLabelIds(image),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("must be an 8-bit map")));
  }
}

}  // namespace
}  // namespace mask2former
