#ifndef MASK2FORMER_EVAL_EXACT_SUM_H_
#define MASK2FORMER_EVAL_EXACT_SUM_H_

#include <array>
#include <cmath>
#include <cstdint>

namespace mask2former {

// A sum of non-negative doubles that does not depend on their order, so that
// any number of threads and machines gives the same bits.
//
// Fixed point, 64 bits before and 64 after the point: terms are exact if they
// are multiples of 2^-64 (every double above 2^-12 is), else cut off. Terms and
// sums must be below 2^64.
class ExactSum {
 public:
  // The sum as digits of 32 bits, lowest first. Digits of several sums may be
  // added up, each without carry, before they go to FromDigits().
  using Digits = std::array<int64_t, 4>;

  void Add(double term) {
    sum_ += static_cast<unsigned __int128>(std::ldexp(term, 64));
  }
  void Merge(const ExactSum& other) { sum_ += other.sum_; }

  // The double next to the sum.
  double value() const { return std::ldexp(static_cast<double>(sum_), -64); }

  Digits ToDigits() const {
    Digits digits;
    for (int i = 0; i < 4; ++i) {
      digits[i] = static_cast<uint32_t>(sum_ >> (32 * i));
    }
    return digits;
  }
  static ExactSum FromDigits(const Digits& digits) {
    ExactSum result;
    for (int i = 0; i < 4; ++i) {
      result.sum_ += static_cast<unsigned __int128>(digits[i]) << (32 * i);
    }
    return result;
  }

 private:
  unsigned __int128 sum_ = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_EXACT_SUM_H_
