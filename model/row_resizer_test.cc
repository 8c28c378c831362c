#include "mask2former/model/row_resizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/rand.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/model/resize_maps.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

struct Case {
  std::string name;
  ImageSize map, padded, image, output;
};

class RowResizerTest : public testing::TestWithParam<Case> {
 protected:
  RowResizer Resizer() const {
    const Case& c = GetParam();
    return RowResizer(c.map, c.padded, c.image, c.output, at::kCPU);
  }
};

TEST_P(RowResizerTest, PiecesMakeTheWhole) {
  const Case& c = GetParam();
  const at::Tensor maps = at::rand({3, c.map.height, c.map.width}) * 10 - 5;
  const at::Tensor whole = ResizeToOutput(maps, c.padded, c.image, c.output);
  const RowResizer resizer = Resizer();
  for (const int64_t at_once : {int64_t{1}, int64_t{7}, c.output.height}) {
    std::vector<at::Tensor> pieces;
    for (int64_t y = 0; y < c.output.height; y += at_once) {
      pieces.push_back(
          resizer.Rows(maps, y, std::min(at_once, c.output.height - y)));
    }
    EXPECT_THAT(at::cat(pieces, 1), TensorNear(whole, 1e-5, 0)) << at_once;
  }
}

TEST_P(RowResizerTest, ChangesMapsAtTheImagesSize) {
  const Case& c = GetParam();
  const at::Tensor maps = at::rand({3, c.map.height, c.map.width}) * 10 - 5;
  const RowResizer::Change squared = [&](at::Tensor rows) {
    EXPECT_EQ(rows.size(2), c.image.width);
    return rows.square().narrow(0, 0, 2);
  };
  const at::Tensor whole = ResizeMaps(
      ResizeToOutput(maps, c.padded, c.image, c.image).square().narrow(0, 0, 2),
      c.output);
  const int64_t first = c.output.height / 3;
  const int64_t count = c.output.height - first;
  const at::Tensor rows = Resizer().Rows(maps, first, count, squared);
  EXPECT_THAT(rows.sizes(), ElementsAre(2, count, c.output.width));
  EXPECT_THAT(rows, TensorNear(whole.narrow(1, first, count), 5e-5, 0));
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, RowResizerTest,
    testing::Values(
        Case{"AsThePublishedModels", {8, 16}, {32, 64}, {32, 64}, {32, 64}},
        Case{"Cropped", {8, 16}, {32, 64}, {29, 50}, {29, 50}},
        Case{"Larger", {8, 16}, {32, 64}, {29, 50}, {90, 151}},
        Case{"Smaller", {16, 16}, {64, 64}, {60, 64}, {7, 9}},
        Case{"TheMapsOwnSize", {9, 4}, {9, 4}, {9, 4}, {9, 4}},
        Case{"OneRow", {2, 2}, {8, 8}, {1, 8}, {5, 1}}),
    [](const auto& info) { return info.param.name; });

TEST(RowsWithinTest, IsAtLeastOneRowAndAtMostAll) {
  const RowResizer same({8, 16}, {32, 64}, {32, 64}, {32, 64}, at::kCPU);
  const int64_t row = 5 * 64 * 4;  // Bytes of a row of five maps.
  EXPECT_EQ(same.RowsWithin(3 * row, 5), 3);
  EXPECT_EQ(same.RowsWithin(1, 5), 1);
  EXPECT_EQ(same.RowsWithin(1000 * row, 5), 32);
  // Four rows of the image for each of the output.
  const RowResizer smaller({8, 16}, {32, 64}, {32, 64}, {8, 16}, at::kCPU);
  EXPECT_EQ(smaller.RowsWithin(8 * row, 5), 2);
}

}  // namespace
}  // namespace mask2former
