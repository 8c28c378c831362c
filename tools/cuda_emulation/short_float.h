#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_SHORT_FLOAT_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_SHORT_FLOAT_H_

#include <cmath>
#include <cstdint>
#include <type_traits>

namespace mask2former {

// The 16 bits nearest to `value`, ties to even; beyond the largest number
// infinity, as IEEE 754 has it. NaN is 0x7fff, as on a GPU.
template <int kMantissaBits>
uint16_t RoundToShortFloat(double value) {
  constexpr int kBias = (1 << (14 - kMantissaBits)) - 1;
  constexpr uint32_t kInfinity = 0x7fffu >> kMantissaBits << kMantissaBits;
  if (std::isnan(value)) return 0x7fff;
  const uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isinf(value)) return static_cast<uint16_t>(sign | kInfinity);
  int exponent;
  std::frexp(value, &exponent);
  --exponent;  // Of the leading bit.
  if (value == 0 || exponent < 1 - kBias) exponent = 1 - kBias;
  // With the leading bit, which so adds 1 to the exponent field.
  const auto mantissa = static_cast<uint32_t>(
      std::nearbyint(std::ldexp(std::fabs(value), kMantissaBits - exponent)));
  if (exponent > kBias) return static_cast<uint16_t>(sign | kInfinity);
  const uint32_t magnitude =
      (static_cast<uint32_t>(exponent + kBias - 1) << kMantissaBits) + mantissa;
  return static_cast<uint16_t>(sign |
                               (magnitude < kInfinity ? magnitude : kInfinity));
}

// The number of RoundToShortFloat(), exactly.
template <int kMantissaBits>
double FromShortFloat(uint16_t bits) {
  constexpr int kBias = (1 << (14 - kMantissaBits)) - 1;
  const int exponent = (bits & 0x7fff) >> kMantissaBits;
  const int mantissa = bits & ((1 << kMantissaBits) - 1);
  double value;
  if (exponent == 2 * kBias + 1) {
    value = mantissa != 0 ? std::nan("") : HUGE_VAL;
  } else if (exponent == 0) {
    value = std::ldexp(mantissa, 1 - kBias - kMantissaBits);
  } else {
    value = std::ldexp(mantissa | 1 << kMantissaBits,
                       exponent - kBias - kMantissaBits);
  }
  return (bits & 0x8000) != 0 ? -value : value;
}

// A float of 16 bits, of them kMantissaBits of mantissa: 10 for __half, 7 for
// __nv_bfloat16. Arithmetic rounds once: a double holds sums, products and
// quotients of two so closely that rounding it again changes nothing.
template <int kMantissaBits>
class ShortFloat {
 public:
  ShortFloat() = default;
  template <typename Number,
            typename = std::enable_if_t<std::is_arithmetic_v<Number>>>
  ShortFloat(Number value)
      : bits_(RoundToShortFloat<kMantissaBits>(static_cast<double>(value))) {}

  static ShortFloat FromBits(uint16_t bits) {
    ShortFloat result;
    result.bits_ = bits;
    return result;
  }

  operator float() const { return static_cast<float>(ToDouble()); }
  double ToDouble() const { return FromShortFloat<kMantissaBits>(bits_); }
  uint16_t bits() const { return bits_; }

  friend ShortFloat operator+(ShortFloat a, ShortFloat b) {
    return a.ToDouble() + b.ToDouble();
  }
  friend ShortFloat operator-(ShortFloat a, ShortFloat b) {
    return a.ToDouble() - b.ToDouble();
  }
  friend ShortFloat operator*(ShortFloat a, ShortFloat b) {
    return a.ToDouble() * b.ToDouble();
  }
  friend ShortFloat operator/(ShortFloat a, ShortFloat b) {
    return a.ToDouble() / b.ToDouble();
  }
  friend ShortFloat operator-(ShortFloat a) {
    return FromBits(static_cast<uint16_t>(a.bits_ ^ 0x8000));
  }
  ShortFloat& operator+=(ShortFloat b) { return *this = *this + b; }
  ShortFloat& operator-=(ShortFloat b) { return *this = *this - b; }
  ShortFloat& operator*=(ShortFloat b) { return *this = *this * b; }
  friend bool operator==(ShortFloat a, ShortFloat b) {
    return a.ToDouble() == b.ToDouble();
  }
  friend bool operator!=(ShortFloat a, ShortFloat b) { return !(a == b); }
  friend bool operator<(ShortFloat a, ShortFloat b) {
    return a.ToDouble() < b.ToDouble();
  }
  friend bool operator>(ShortFloat a, ShortFloat b) { return b < a; }

 private:
  uint16_t bits_;
};

// a b + c, rounded once.
template <int kMantissaBits>
ShortFloat<kMantissaBits> FusedMultiplyAdd(ShortFloat<kMantissaBits> a,
                                           ShortFloat<kMantissaBits> b,
                                           ShortFloat<kMantissaBits> c) {
  const double product = a.ToDouble() * b.ToDouble();  // Exact.
  const double addend = c.ToDouble();
  double sum = product + addend;
  // What the sum lost, exactly (Knuth's two-sum).
  const double part = sum - product;
  const double lost = (product - (sum - part)) + (addend - part);
  if (lost != 0 && std::isfinite(sum)) {
    // Rounding to odd keeps the second rounding honest.
    int exponent;
    const double mantissa = std::ldexp(std::frexp(sum, &exponent), 53);
    if (std::fmod(mantissa, 2.) == 0) {
      sum = std::nextafter(sum, lost > 0 ? HUGE_VAL : -HUGE_VAL);
    }
  }
  return sum;
}

template <int kMantissaBits>
struct alignas(4) ShortFloat2 {
  ShortFloat<kMantissaBits> x, y;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_SHORT_FLOAT_H_
