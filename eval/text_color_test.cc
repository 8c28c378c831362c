#include "mask2former/eval/text_color.h"

#include <gtest/gtest.h>

#include <limits>

namespace mask2former {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(TextColorTest, ColoursByScore) {
  EXPECT_EQ(ScoreEscape(0.1, TextColor::kOn), "\033[31;1m");
  EXPECT_EQ(ScoreEscape(0.2, TextColor::kOn), "\033[33;1m");
  EXPECT_EQ(ScoreEscape(0.59, TextColor::kOn), "\033[34;1m");
  EXPECT_EQ(ScoreEscape(0.7, TextColor::kOn), "\033[36;1m");
  EXPECT_EQ(ScoreEscape(0.8, TextColor::kOn), "\033[32;1m");
  EXPECT_EQ(ScoreEscape(kNaN, TextColor::kOn), kPlainText);
  EXPECT_EQ(ScoreEscape(0.8, TextColor::kOff), "");
}

TEST(TextColorTest, WritesNumbersOfAWidth) {
  EXPECT_EQ(NumberText(0.12345, 7, 3), "  0.123");
  EXPECT_EQ(NumberText(kNaN, 5, 3), "  nan");
  EXPECT_EQ(NumberText(-kNaN, 5, 3), "  nan");
}

}  // namespace
}  // namespace mask2former
