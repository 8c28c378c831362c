#include "mask2former/data/scene/noise.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mask2former {
namespace {

TEST(ValueNoiseTest, IsTheCellsValueAtItsCorner) {
  for (const int x : {-3, 0, 7}) {
    for (const int y : {-2, 0, 11}) {
      EXPECT_EQ(ValueNoise(x, y, 9), CellNoise(x, y, 9));
    }
  }
}

TEST(ValueNoiseTest, IsContinuousAndNotConstant) {
  float low = 1;
  float high = 0;
  for (float x = -4; x < 4; x += 0.01f) {
    const float here = ValueNoise(x, 0.3f, 2);
    EXPECT_LT(std::abs(here - ValueNoise(x + 0.01f, 0.3f, 2)), 0.03f);
    low = std::min(low, here);
    high = std::max(high, here);
  }
  EXPECT_LT(low, 0.3f);
  EXPECT_GT(high, 0.7f);
}

TEST(FractalNoiseTest, StaysBelowOneAndDependsOnTheSeed) {
  for (int i = 0; i < 500; ++i) {
    const float value = FractalNoise(0.37f * i, 0.21f * i, 4, 4);
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 1);
  }
  EXPECT_NE(FractalNoise(1.5f, 2.5f, 1, 3), FractalNoise(1.5f, 2.5f, 2, 3));
}

}  // namespace
}  // namespace mask2former
