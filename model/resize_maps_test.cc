#include "mask2former/model/resize_maps.h"

#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/tensor.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

TEST(ResizeMapsTest, KeepsPixelCentresAndRepeatsTheBorder) {
  const at::Tensor maps = at::tensor({0.f, 4.f}).view({1, 1, 2});
  // Centres of the four new pixels lie at -0.25, 0.25, 0.75 and 1.25.
  EXPECT_THAT(
      ResizeMaps(maps, {1, 4}),
      TensorNear(at::tensor({0.f, 1.f, 3.f, 4.f}).view({1, 1, 4}), 0, 0));
}

TEST(ResizeMapsTest, ShrinksWithoutAntiAliasing) {
  const at::Tensor maps = at::arange(8.f).view({1, 1, 8});
  EXPECT_THAT(ResizeMaps(maps, {1, 2}),
              TensorNear(at::tensor({1.5f, 5.5f}).view({1, 1, 2}), 0, 0));
}

TEST(ResizeMapsTest, GivesTheSameMapsBackForTheirOwnSize) {
  const at::Tensor maps = at::rand({2, 3, 5});
  EXPECT_TRUE(ResizeMaps(maps, {3, 5}).is_same(maps));
}

TEST(CropMapsTest, IsAViewOfTheUpperLeftPart) {
  const at::Tensor maps = at::rand({2, 4, 6});
  const at::Tensor part = CropMaps(maps, {3, 2});
  EXPECT_THAT(part.sizes(), ElementsAre(2, 3, 2));
  EXPECT_EQ(part.data_ptr(), maps.data_ptr());
  EXPECT_TRUE(at::equal(part[1][2], maps[1][2].narrow(0, 0, 2)));
}

TEST(CropMapsTest, RefusesALargerSize) {
  EXPECT_THROW(CropMaps(at::rand({1, 2, 2}), {3, 2}), c10::Error);
}

// The padding has no part in the result, not even at its border.
TEST(ResizeToOutputTest, CropsBetweenTheTwoResizes) {
  at::Tensor maps = at::rand({2, 4, 8});
  const ImageSize padded = {16, 32}, image = {12, 24}, output = {30, 50};
  const at::Tensor result = ResizeToOutput(maps, padded, image, output);
  EXPECT_THAT(result.sizes(), ElementsAre(2, 30, 50));
  EXPECT_TRUE(at::equal(
      result,
      ResizeMaps(ResizeMaps(maps, padded).narrow(1, 0, 12).narrow(2, 0, 24),
                 output)));
  EXPECT_FALSE(at::allclose(result, ResizeMaps(maps, output)));
}

}  // namespace
}  // namespace mask2former
