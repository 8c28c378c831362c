#include "mask2former/common/cuda/exponential.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mask2former {
namespace {

// The C++ side; on a GPU the tests of kernels see the other.
TEST(ExponentialTest, EqualsTheExponentialFunction) {
  for (float x = 0; x > -30; x -= 0.37f) {
    EXPECT_NEAR(Exponential(x), std::exp(static_cast<double>(x)), 0x1p-21) << x;
  }
  EXPECT_EQ(Exponential(0), 1);
  EXPECT_EQ(Exponential(-std::numeric_limits<float>::infinity()), 0);
  EXPECT_EQ(Exponential(-3e38f), 0);
  EXPECT_TRUE(std::isnan(Exponential(std::nanf(""))));
}

TEST(ReciprocalTest, IsOneOverANumber) {
  EXPECT_EQ(Reciprocal(8), 0.125f);
  EXPECT_EQ(Reciprocal(0), std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace mask2former
