#include "mask2former/data/image_tensor.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <opencv2/core/mat.hpp>

#include "mask2former/data/testing/patterns.h"
#include "mask2former/data/transforms/pil_resize.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

TEST(ImageToTensorTest, ChannelsComeFirst) {
  const cv::Mat image =
      (cv::Mat_<cv::Vec3b>(1, 2) << cv::Vec3b(1, 2, 3), cv::Vec3b(4, 5, 6));
  const at::Tensor tensor = ImageToTensor(image);
  EXPECT_THAT(tensor.sizes(), ElementsAre(3, 1, 2));
  EXPECT_TRUE(at::equal(
      tensor, at::tensor({1, 4, 2, 5, 3, 6}, at::kByte).view({3, 1, 2})));
}

TEST(ImageToTensorTest, RefusesOtherTypes) {
  EXPECT_THROW(ImageToTensor(cv::Mat(2, 2, CV_8UC1)), c10::Error);
}

TEST(MakeTestImageTest, LeavesPicturesOfTheRightSizeAlone) {
  const cv::Mat image = NoisePattern(64, 128, 3);
  EXPECT_TRUE(at::equal(MakeTestImage(image, 64, 128), ImageToTensor(image)));
}

TEST(MakeTestImageTest, ResizesAsPillowToTheBoundSize) {
  const cv::Mat image = NoisePattern(64, 96, 3);
  // A shorter edge of 300 would make the longer one 450.
  const at::Tensor tensor = MakeTestImage(image, 300, 300);
  EXPECT_THAT(tensor.sizes(), ElementsAre(3, 200, 300));
  EXPECT_TRUE(
      at::equal(tensor, ImageToTensor(PilResizeBilinear(image, {200, 300}))));
}

}  // namespace
}  // namespace mask2former
