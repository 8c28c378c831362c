#include "mask2former/train/optimizer/poly_schedule.h"

#include <gtest/gtest.h>

namespace mask2former {
namespace {

TEST(PolyScheduleFactorTest, EqualsTheReferenceToAllItsDigits) {
  // The reference's schedule, stepped 90000 times; learning rates x 1e-5.
  const struct {
    int64_t iteration;
    double lr;
  } kRows[] = {{0, 10},
               {1, 9.9999},
               {5000, 9.498581964},
               {10000, 8.994203919},
               {30000, 6.942531627},
               {45000, 5.358867313},
               {60000, 3.72041058},
               {80000, 1.384145488},
               {89999, 0.0003476816272}};
  for (const auto& row : kRows) {
    const double lr = 10 * PolyScheduleFactor({}, row.iteration);
    EXPECT_NEAR(lr / row.lr, 1, 1e-9) << row.iteration;
  }
}

TEST(PolyScheduleFactorTest, WarmupMultipliesTheDecay) {
  PolyScheduleOptions options;
  options.max_iter = 100;
  options.power = 1;
  options.warmup_iters = 10;
  options.warmup_factor = 0.2;
  EXPECT_DOUBLE_EQ(PolyScheduleFactor(options, 0), 0.2);
  EXPECT_DOUBLE_EQ(PolyScheduleFactor(options, 5), 0.6 * 0.95);
  EXPECT_DOUBLE_EQ(PolyScheduleFactor(options, 10), 0.9);
  options.warmup = PolyScheduleOptions::Warmup::kConstant;
  EXPECT_DOUBLE_EQ(PolyScheduleFactor(options, 9), 0.2 * 0.91);
  EXPECT_DOUBLE_EQ(PolyScheduleFactor(options, 10), 0.9);
}

TEST(PolyScheduleFactorTest, ConstantEndingHoldsAfterTheWarmup) {
  PolyScheduleOptions options;
  options.max_iter = 100;
  options.power = 1;
  options.constant_ending = 0.3;
  EXPECT_DOUBLE_EQ(PolyScheduleFactor(options, 60), 0.4);
  EXPECT_DOUBLE_EQ(PolyScheduleFactor(options, 90), 0.3);
  options.warmup_iters = 100;
  options.warmup_factor = 0;
  EXPECT_DOUBLE_EQ(PolyScheduleFactor(options, 90), 0.9 * 0.1);
}

TEST(PolyScheduleFactorTest, IsZeroAtTheEndAndBeyond) {
  EXPECT_EQ(PolyScheduleFactor({}, 90000), 0);
  EXPECT_EQ(PolyScheduleFactor({}, 100000), 0);
  PolyScheduleOptions constant;
  constant.power = 0;
  EXPECT_EQ(PolyScheduleFactor(constant, 89999), 1);
}

}  // namespace
}  // namespace mask2former
