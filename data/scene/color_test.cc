#include "mask2former/data/scene/color.h"

#include <gtest/gtest.h>

#include <cmath>

namespace mask2former {
namespace {

TEST(FromHsvTest, GoesAroundTheColourCircle) {
  const auto expect = [](double hue, float r, float g, float b) {
    const Color c = FromHsv(hue, 1, 1);
    EXPECT_NEAR(c.r, r, 1e-6);
    EXPECT_NEAR(c.g, g, 1e-6);
    EXPECT_NEAR(c.b, b, 1e-6);
  };
  expect(0, 1, 0, 0);
  expect(1.0 / 6, 1, 1, 0);
  expect(2.0 / 6, 0, 1, 0);
  expect(0.5, 0, 1, 1);
  expect(4.0 / 6, 0, 0, 1);
  expect(5.0 / 6, 1, 0, 1);
  expect(2, 1, 0, 0);
  const Color gray = FromHsv(0.3, 0, 0.4);
  EXPECT_FLOAT_EQ(gray.r, gray.g);
  EXPECT_FLOAT_EQ(gray.g, gray.b);
}

TEST(PaletteTest, TakesNaturalColoursAsOftenAsItSays) {
  const ColorRange green = {{0.32, 0.34}, {0.9, 1}, {0.9, 1}};
  for (const double natural : {0.0, 0.5, 1.0}) {
    SceneRandom random(4);
    int hits = 0;
    for (int i = 0; i < 2000; ++i) {
      const Color c = Palette(natural).Draw(green, random);
      hits += c.g > 0.89f && c.r < 0.3f;
    }
    EXPECT_NEAR(hits / 2000.0, natural, 0.05);
  }
}

TEST(ContrastTest, CanBeSeen) {
  SceneRandom random(6);
  for (int i = 0; i < 500; ++i) {
    const Color c = DrawColor(kVividColors, random);
    EXPECT_GT(std::abs(Luminance(Contrast(c, random)) - Luminance(c)), 0.2f);
  }
}

}  // namespace
}  // namespace mask2former
