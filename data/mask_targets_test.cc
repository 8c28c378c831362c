#include "mask2former/data/mask_targets.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core/mat.hpp>

namespace mask2former {
namespace {

using ::testing::ElementsAre;

TEST(MakeMaskTargetTest, OneMaskPerPresentClassAscending) {
  const cv::Mat label = (cv::Mat_<uint8_t>(2, 3) << 18, 255, 3, 0, 3, 18);
  const MaskTarget target = MakeMaskTarget(label, 19);
  EXPECT_TRUE(at::equal(target.labels, at::tensor({0, 3, 18}, at::kLong)));
  ASSERT_EQ(target.masks.scalar_type(), at::kBool);
  const at::Tensor expected = at::tensor({0, 0, 0, 1, 0, 0,  //
                                          0, 0, 1, 0, 1, 0,  //
                                          1, 0, 0, 0, 0, 1})
                                  .view({3, 2, 3})
                                  .to(at::kBool);
  EXPECT_TRUE(at::equal(target.masks, expected));
}

TEST(MakeMaskTargetTest, OnlyIgnoredPixelsGiveNoTarget) {
  const MaskTarget target =
      MakeMaskTarget(cv::Mat(4, 5, CV_8UC1, cv::Scalar(255)), 19);
  EXPECT_THAT(target.labels.sizes(), ElementsAre(0));
  EXPECT_THAT(target.masks.sizes(), ElementsAre(0, 4, 5));
  EXPECT_EQ(target.labels.scalar_type(), at::kLong);
  EXPECT_EQ(target.masks.scalar_type(), at::kBool);
}

TEST(MakeMaskTargetTest, ReadsPartsOfLargerLabels) {
  cv::Mat label(4, 4, CV_8UC1, cv::Scalar(255));
  label.at<uint8_t>(1, 2) = 5;
  const MaskTarget target = MakeMaskTarget(label(cv::Rect(1, 1, 2, 2)), 19);
  EXPECT_TRUE(at::equal(
      target.masks, at::tensor({0, 1, 0, 0}).view({1, 2, 2}).to(at::kBool)));
}

TEST(MakeMaskTargetTest, RefusesOtherTypesAndClasses) {
  EXPECT_THROW(MakeMaskTarget(cv::Mat(2, 2, CV_8UC3), 19), c10::Error);
  EXPECT_THROW(MakeMaskTarget(cv::Mat(2, 2, CV_8UC1, cv::Scalar(19)), 19),
               c10::Error);
  EXPECT_THROW(MakeMaskTarget(cv::Mat(2, 2, CV_8UC1), 256), c10::Error);
}

}  // namespace
}  // namespace mask2former
