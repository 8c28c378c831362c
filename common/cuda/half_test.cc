#include "mask2former/common/cuda/half.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace mask2former {
namespace {

// The value by the definition of the format.
double Decode(uint16_t bits, int exponent_bits, int fraction_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = bits >> fraction_bits & ((1 << exponent_bits) - 1);
  const int fraction = bits & ((1 << fraction_bits) - 1);
  const double sign = bits >> 15 != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) {
    return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  }
  return sign * std::ldexp(fraction + (1 << fraction_bits),
                           exponent - bias - fraction_bits);
}

template <typename T>
class HalfTest : public testing::Test {
 protected:
  static constexpr int kExponentBits = std::is_same_v<T, Float16> ? 5 : 8;
  static constexpr int kFractionBits = 15 - kExponentBits;
  static constexpr uint16_t kInfinity = ((1 << kExponentBits) - 1)
                                        << kFractionBits;
};

using Types = testing::Types<Float16, BFloat16>;
TYPED_TEST_SUITE(HalfTest, Types);

TYPED_TEST(HalfTest, ReadsAndWritesEveryNumberExactly) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const TypeParam number = {static_cast<uint16_t>(bits)};
    const double expected =
        Decode(number.bits, this->kExponentBits, this->kFractionBits);
    const float actual = ToFloat(number);
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(actual)) << bits;
      EXPECT_TRUE(std::isnan(ToFloat(FromFloat<TypeParam>(actual)))) << bits;
      continue;
    }
    ASSERT_EQ(actual, expected) << bits;
    ASSERT_EQ(std::signbit(actual), std::signbit(expected)) << bits;
    ASSERT_EQ(FromFloat<TypeParam>(actual).bits, bits);
  }
}

TYPED_TEST(HalfTest, RoundsToTheNearestAndTiesToEven) {
  for (const uint16_t sign : {0, 0x8000}) {
    for (uint16_t bits = 0; bits + 1 < this->kInfinity; ++bits) {
      const uint16_t lower = sign | bits;
      const uint16_t upper = lower + 1;
      // Exact, for halves have far fewer digits.
      const float middle =
          ToFloat(TypeParam{lower}) / 2 + ToFloat(TypeParam{upper}) / 2;
      if (std::abs(middle) < 1e-38f) continue;  // Not exact in float, either.
      const float outward =
          std::nextafterf(middle, sign != 0 ? -INFINITY : INFINITY);
      ASSERT_EQ(FromFloat<TypeParam>(middle).bits, bits % 2 ? upper : lower);
      ASSERT_EQ(FromFloat<TypeParam>(std::nextafterf(middle, 0)).bits, lower);
      ASSERT_EQ(FromFloat<TypeParam>(outward).bits, upper);
    }
  }
}

TYPED_TEST(HalfTest, BecomesInfiniteBeyondTheLargest) {
  EXPECT_EQ(FromFloat<TypeParam>(3.4e38f).bits, this->kInfinity);
  EXPECT_EQ(FromFloat<TypeParam>(-INFINITY).bits, this->kInfinity | 0x8000);
}

}  // namespace
}  // namespace mask2former
