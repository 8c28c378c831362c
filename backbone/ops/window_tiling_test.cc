#include "mask2former/backbone/ops/window_tiling.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <tuple>

namespace mask2former::ops {
namespace {

// Batch, height, width, window, shift.
using Case = std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t>;

class WindowTilingTest : public testing::TestWithParam<Case> {
 protected:
  WindowAttentionSizes sizes() const {
    const auto [batch, height, width, window, shift] = GetParam();
    return {batch, height, width, 1, 32, window, shift};
  }
};

// Step by step: pad, roll up and left, cut; label, as the published code does,
// three bands of rows and of columns.
TEST_P(WindowTilingTest, EqualsPaddingRollingAndCutting) {
  const WindowAttentionSizes s = sizes();
  const WindowTiling<int64_t> tiling(s);
  const WindowTiling<int32_t> narrow(s);
  const int64_t height = s.rows() * s.window, width = s.columns() * s.window;
  const auto band = [&](int64_t place, int64_t size) {
    return (place >= size - s.window) + (place >= size - s.shift);
  };
  std::set<int64_t> seen;
  int64_t index = 0;
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t top = 0; top < height; top += s.window) {
      for (int64_t left = 0; left < width; left += s.window, ++index) {
        const Window<int64_t> window = tiling.At(index);
        const Window<int32_t> narrow_window =
            narrow.At(static_cast<int32_t>(index));
        bool has_padding = false, has_parts = false;
        const int64_t first_label = 3 * band(top, height) + band(left, width);
        for (int i = 0; i < s.window; ++i) {
          for (int j = 0; j < s.window; ++j) {
            const int64_t y = (top + i + s.shift) % height;
            const int64_t x = (left + j + s.shift) % width;
            const bool inside = y < s.height && x < s.width;
            const int64_t pixel =
                inside ? (b * s.height + y) * s.width + x : -1;
            EXPECT_EQ(tiling.Pixel(window, i, j), pixel);
            EXPECT_EQ(narrow.Pixel(narrow_window, i, j), pixel);
            if (inside) {
              EXPECT_TRUE(seen.insert(pixel).second) << pixel;
            }
            has_padding |= !inside;
            const int64_t label =
                3 * band(top + i, height) + band(left + j, width);
            EXPECT_EQ(tiling.Part(window, i, j) == tiling.Part(window, 0, 0),
                      s.shift == 0 || label == first_label);
            EXPECT_EQ(tiling.Part(window, i, j),
                      narrow.Part(narrow_window, i, j));
            has_parts |= label != first_label;
          }
        }
        EXPECT_EQ(tiling.HasParts(window), s.shift > 0 && has_parts);
        EXPECT_EQ(narrow.HasParts(narrow_window), tiling.HasParts(window));
        if (has_padding) {
          EXPECT_TRUE(tiling.MayHavePadding(window));
          EXPECT_TRUE(narrow.MayHavePadding(narrow_window));
        }
      }
    }
  }
  EXPECT_EQ(index, s.windows());
  EXPECT_EQ(seen.size(), s.batch * s.height * s.width);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, WindowTilingTest,
    testing::Values(Case{2, 4, 6, 2, 0}, Case{1, 6, 9, 3, 1},
                    Case{2, 17, 24, 7, 3}, Case{1, 16, 20, 12, 6},
                    Case{1, 3, 4, 7, 3}, Case{3, 1, 1, 5, 4},
                    Case{1, 15, 2, 7, 6}, Case{2, 3, 5, 1, 0},
                    // Padding in the last two rows, or columns, of windows.
                    Case{1, 11, 10, 5, 2}, Case{1, 10, 11, 5, 2}));

TEST(WindowTilingPaddingTest, KnowsThatWholeWindowsHaveNone) {
  const WindowTiling<int64_t> tiling({1, 14, 21, 1, 32, 7, 3});
  for (int64_t w = 0; w < 6; ++w) {
    EXPECT_FALSE(tiling.MayHavePadding(tiling.At(w))) << w;
  }
  // Only columns are added.
  const WindowTiling<int64_t> wider({1, 14, 29, 1, 32, 7, 3});
  EXPECT_FALSE(wider.MayHavePadding(wider.At(0)));
  EXPECT_TRUE(wider.MayHavePadding(wider.At(4)));
}

TEST(WindowTilingLargeTest, FindsPixelsBeyondTwoToTheThirtyOne) {
  // 3 images of 2^32 pixels each, 32-bit sides.
  const WindowAttentionSizes sizes = {3, 1 << 16, 1 << 16, 1, 32, 8, 4};
  ASSERT_TRUE(CudaKernelTakes(sizes));
  const WindowTiling<int32_t> tiling(sizes);
  const auto last = static_cast<int32_t>(sizes.windows() - 1);
  const Window<int32_t> window = tiling.At(last);
  EXPECT_EQ(window.image, 2);
  EXPECT_EQ(window.row, (1 << 13) - 1);
  // Before the rolled part begins: the last pixel of all.
  EXPECT_EQ(tiling.Pixel(window, 3, 3), (int64_t{3} << 32) - 1);
  // Behind, the first rows and columns of the image.
  EXPECT_EQ(tiling.Pixel(window, 4, 4), int64_t{2} << 32);
}

TEST(WindowTilingLargeTest, FindsRowsBeyondTwoToTheThirtyOne) {
  // All images below one another, 3 times the highest.
  const WindowAttentionSizes sizes = {3, 1 << 30, 8, 1, 32, 8, 0};
  ASSERT_TRUE(CudaKernelTakes(sizes));
  const WindowTiling<int32_t> tiling(sizes);
  const auto last = static_cast<int32_t>(sizes.windows() - 1);
  EXPECT_EQ(tiling.Pixel(tiling.At(last), 7, 7), (int64_t{3} << 33) - 1);
}

TEST(RowsOfTest, FindsNumbersBeyondTwoToTheThirtyOne) {
  // Nothing is read.
  constexpr uintptr_t kBegin = uintptr_t{1} << 32;
  const char* const map = reinterpret_cast<const char*>(kBegin);
  const RowsOf<const char> rows = {map, nullptr, 96};
  EXPECT_EQ(reinterpret_cast<uintptr_t>(rows.At((int64_t{1} << 31) + 2, 5)),
            kBegin + ((uint64_t{1} << 31) + 2) * 96 + 5);
}

TEST(RowsOfTest, TakesThePaddingOrNothingForThePadding) {
  const float map[6] = {}, padding[3] = {};
  EXPECT_EQ((RowsOf<const float>{map, padding, 3}).At(1, 2), map + 5);
  EXPECT_EQ((RowsOf<const float>{map, padding, 3}).At(-1, 2), padding + 2);
  EXPECT_EQ((RowsOf<const float>{map, nullptr, 3}).At(-1, 2), nullptr);
}

TEST(CudaKernelTakesTest, WhatFitsAnd32Channels) {
  const WindowAttentionSizes good = {2, 17, 24, 3, 32, 12, 3};
  EXPECT_TRUE(CudaKernelTakes(good));
  const auto with = [&](int64_t WindowAttentionSizes::*size, int64_t value) {
    WindowAttentionSizes sizes = good;
    sizes.*size = value;
    return CudaKernelTakes(sizes);
  };
  using Sizes = WindowAttentionSizes;
  EXPECT_FALSE(with(&Sizes::head_dim, 64));
  EXPECT_TRUE(with(&Sizes::window, 4));
  EXPECT_FALSE(with(&Sizes::window, 3));  // As the shift.
  EXPECT_FALSE(with(&Sizes::window, 0));
  EXPECT_FALSE(with(&Sizes::window, 13));
  EXPECT_TRUE(with(&Sizes::shift, 0));
  EXPECT_FALSE(with(&Sizes::shift, -1));
  EXPECT_TRUE(with(&Sizes::heads, 65535));
  EXPECT_FALSE(with(&Sizes::heads, 65536));
  EXPECT_FALSE(with(&Sizes::heads, 0));
  constexpr int64_t kLargest = int64_t{1} << 30;
  for (const auto side : {&Sizes::height, &Sizes::width}) {
    EXPECT_TRUE(with(side, kLargest));
    EXPECT_FALSE(with(side, kLargest + 1));
    EXPECT_TRUE(with(side, 0));
    EXPECT_FALSE(with(side, -1));
  }
  EXPECT_TRUE(with(&Sizes::batch, 0));
  EXPECT_FALSE(with(&Sizes::batch, -1));
  // Of 2 x 2 windows each.
  EXPECT_TRUE(with(&Sizes::batch, (int64_t{1} << 29) - 1));
  EXPECT_FALSE(with(&Sizes::batch, int64_t{1} << 29));
  EXPECT_FALSE(with(&Sizes::batch, int64_t{1} << 62));
  // The product is 2^64.
  EXPECT_FALSE(CudaKernelTakes({16, kLargest, kLargest, 1, 32, 1, 0}));
}

}  // namespace
}  // namespace mask2former::ops
