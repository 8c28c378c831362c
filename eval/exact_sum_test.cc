#include "mask2former/eval/exact_sum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace mask2former {
namespace {

std::vector<double> RandomTerms() {
  std::mt19937 random(3);
  std::uniform_real_distribution<double> exponent(-9, 16);
  std::vector<double> terms(1000);
  for (double& term : terms) term = std::exp2(exponent(random));
  return terms;
}

TEST(ExactSumTest, DoesNotDependOnTheOrder) {
  std::vector<double> terms = RandomTerms();
  ExactSum sum;
  double plain = 0;
  for (const double term : terms) {
    sum.Add(term);
    plain += term;
  }
  EXPECT_NEAR(sum.value(), plain, 1e-12 * plain);
  std::mt19937 random(4);
  for (int i = 0; i < 10; ++i) {
    std::shuffle(terms.begin(), terms.end(), random);
    ExactSum first, second;
    for (size_t t = 0; t < terms.size(); ++t) {
      (t % 3 == 0 ? first : second).Add(terms[t]);
    }
    first.Merge(second);
    EXPECT_EQ(first.value(), sum.value());
  }
}

TEST(ExactSumTest, KeepsSmallTermsBesideLargeOnes) {
  ExactSum sum;
  sum.Add(std::exp2(60));
  for (int i = 0; i < 1024; ++i) sum.Add(0.25);
  EXPECT_EQ(sum.value(), std::exp2(60) + 256);
  EXPECT_EQ(ExactSum().value(), 0);
}

TEST(ExactSumTest, DigitsAddUp) {
  ExactSum whole;
  ExactSum::Digits digits = {};
  for (const double term : RandomTerms()) {
    whole.Add(term);
    ExactSum part;
    part.Add(term);
    EXPECT_EQ(ExactSum::FromDigits(part.ToDigits()).value(), term);
    for (int i = 0; i < 4; ++i) digits[i] += part.ToDigits()[i];
  }
  EXPECT_EQ(ExactSum::FromDigits(digits).value(), whole.value());
}

}  // namespace
}  // namespace mask2former
