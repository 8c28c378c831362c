#include "mask2former/train/logging/progress.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mask2former {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(MedianTest, IsTheMiddleOrTheMeanOfTwo) {
  EXPECT_EQ(Median({3}), 3);
  EXPECT_EQ(Median({5, 1, 3}), 3);
  EXPECT_EQ(Median({8, 1, 3, 5}), 4);
  EXPECT_EQ(Median({kInfinity, 1, 2}), 2);
  EXPECT_EQ(Median({kInfinity, kInfinity}), kInfinity);
}

TEST(MedianTest, IsNaNOfNothingAndOfNaN) {
  EXPECT_TRUE(std::isnan(Median({})));
  EXPECT_TRUE(std::isnan(Median({1, kNaN, 2})));
}

TEST(FormatDurationTest, WritesHoursAndDays) {
  EXPECT_EQ(FormatDuration(0), "0:00:00");
  EXPECT_EQ(FormatDuration(7.4), "0:00:07");
  EXPECT_EQ(FormatDuration(59.6), "0:01:00");
  EXPECT_EQ(FormatDuration(47109), "13:05:09");
  EXPECT_EQ(FormatDuration(86400), "1 day 0:00:00");
  EXPECT_EQ(FormatDuration(2 * 86400 + 3661), "2 days 1:01:01");
}

TEST(FormatDurationTest, SaysWhenItDoesNotKnow) {
  EXPECT_EQ(FormatDuration(-1), "unknown");
  EXPECT_EQ(FormatDuration(kNaN), "unknown");
  EXPECT_EQ(FormatDuration(kInfinity), "unknown");
}

TEST(ProgressTest, LeavesOutTheFirstIterations) {
  Progress progress(103);
  for (int i = 0; i < 3; ++i) progress.Add(60);
  EXPECT_FALSE(progress.RemainingSeconds(3).has_value());
  progress.Add(2);
  EXPECT_EQ(progress.RemainingSeconds(3), 200);
}

TEST(ProgressTest, OneSlowIterationDoesNotMatter) {
  Progress progress(1000);
  for (int i = 0; i < 20; ++i) progress.Add(i == 10 ? 500 : 2);
  EXPECT_EQ(progress.RemainingSeconds(20), 2 * 980);
}

TEST(ProgressTest, FollowsTheLastThousand) {
  Progress progress(10000);
  for (int i = 0; i < 1003; ++i) progress.Add(1);
  for (int i = 0; i < 1000; ++i) progress.Add(3);
  EXPECT_EQ(progress.RemainingSeconds(2003), 3 * (10000 - 2003));
}

TEST(ProgressTest, IsZeroAtTheEndAndBeyond) {
  Progress progress(10);
  for (int i = 0; i < 12; ++i) progress.Add(1);
  EXPECT_EQ(progress.RemainingSeconds(10), 0);
  EXPECT_EQ(progress.RemainingSeconds(12), 0);
}

}  // namespace
}  // namespace mask2former
