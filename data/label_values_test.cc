#include "mask2former/data/label_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr auto kIds = DataConfig::LABEL_IDS;
constexpr auto kTrainIds = DataConfig::LABEL_TRAIN_IDS;

TEST(LabelValuesTest, TrainIdsOfValues) {
  const std::array<int, 256> ids = CityscapesTrainIds(kIds);
  EXPECT_EQ(ids[7], 0);
  EXPECT_EQ(ids[33], 18);
  EXPECT_EQ(ids[3], 255);
  EXPECT_EQ(ids[34], kOutsideCityscapes);
  EXPECT_EQ(ids[255], kOutsideCityscapes);
  const std::array<int, 256> train_ids = CityscapesTrainIds(kTrainIds);
  EXPECT_EQ(train_ids[18], 18);
  EXPECT_EQ(train_ids[19], kOutsideCityscapes);
  EXPECT_EQ(train_ids[255], 255);
}

TEST(LabelValuesTest, AValueOutsideInTheLastRowOnly) {
  cv::Mat label(4, 8, CV_8UC1, cv::Scalar(7));
  EXPECT_THAT(CheckCityscapesLabel(label, "a.png", kIds), IsOk());
  label.at<uint8_t>(3, 7) = 34;
  EXPECT_THAT(CheckCityscapesLabel(label, "a.png", kIds),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("a.png has 1 pixels"),
                             HasSubstr("(7, 3)"), HasSubstr("34"))));
}

}  // namespace
}  // namespace mask2former
