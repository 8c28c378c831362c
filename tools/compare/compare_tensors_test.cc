#include "mask2former/tools/compare/compare_tensors.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

at::Tensor Row(std::initializer_list<double> values) {
  return at::tensor(at::ArrayRef<double>(values), at::kDouble);
}

TensorComparison Compare(const at::Tensor& expected, const at::Tensor& actual,
                         double atol = 0, double rtol = 0) {
  return CompareTensors("x", expected, actual, {atol, rtol});
}

TEST(CompareTensorsTest, MeasuresTheDistance) {
  const auto result = Compare(Row({1, 2, -4, 0}), Row({1, 2.5, -5, 0}));
  EXPECT_TRUE(result.IsDifferent());
  EXPECT_EQ(result.num_elements, 4);
  EXPECT_EQ(result.num_different, 2);
  EXPECT_DOUBLE_EQ(result.max_abs, 1);
  EXPECT_DOUBLE_EQ(result.max_rel, 0.2);
  EXPECT_DOUBLE_EQ(result.cosine,
                   (1 + 5 + 20) / (std::sqrt(21) * std::sqrt(32.25)));
  EXPECT_THAT(result.first->index, ElementsAre(1));
  EXPECT_EQ(result.first->expected, 2);
  EXPECT_EQ(result.first->actual, 2.5);
}

TEST(CompareTensorsTest, TolerancesDecideWhatIsDifferent) {
  const at::Tensor e = Row({10, 100}), a = Row({10.5, 101});
  EXPECT_EQ(Compare(e, a).num_different, 2);
  EXPECT_EQ(Compare(e, a, 0.6).num_different, 1);
  EXPECT_EQ(Compare(e, a, 0, 0.02).num_different, 1);
  EXPECT_EQ(Compare(e, a, 0.5, 0.01).num_different, 0);
  EXPECT_DOUBLE_EQ(Compare(e, a, 1, 0).max_abs, 1);  // Told all the same.
}

TEST(CompareTensorsTest, NamesTheElementInEveryDimension) {
  at::Tensor e = at::zeros({2, 3, 4}), a = at::zeros({2, 3, 4});
  a[1][2][3] = 1;
  a[1][0][2] = 1;
  EXPECT_THAT(Compare(e, a).first->index, ElementsAre(1, 0, 2));
  // Row-major, whatever the strides.
  EXPECT_THAT(Compare(e.permute({2, 0, 1}), a.permute({2, 0, 1})).first->index,
              ElementsAre(2, 1, 0));
}

TEST(CompareTensorsTest, NotANumberEqualsOnlyItself) {
  EXPECT_FALSE(Compare(Row({kNan, kInf}), Row({kNan, kInf})).IsDifferent());
  for (const double other : {1.0, kInf, -kInf}) {
    const auto result = Compare(Row({kNan}), Row({other}), kInf, kInf);
    EXPECT_TRUE(result.IsDifferent()) << other;
    EXPECT_EQ(result.max_abs, kInf);
  }
  EXPECT_TRUE(Compare(Row({kInf}), Row({-kInf}), kInf).IsDifferent());
  EXPECT_TRUE(Compare(Row({kInf}), Row({1})).IsDifferent());
}

TEST(CompareTensorsTest, IntegersAreComparedExactly) {
  const int64_t large = (int64_t{1} << 60);
  const auto result = Compare(at::tensor({large, int64_t{5}}, at::kLong),
                              at::tensor({large + 1, int64_t{5}}, at::kLong));
  EXPECT_EQ(result.num_different, 1);
  EXPECT_FALSE(Compare(at::tensor({1, 0}, at::kInt),
                       at::tensor({1, 0}, at::kInt).to(at::kBool))
                   .IsDifferent());
}

TEST(CompareTensorsTest, TakesShortFloats) {
  const at::Tensor e = Row({1.0, 1.0 / 3});
  const auto result = Compare(e, e.to(at::kBFloat16));
  EXPECT_GT(result.max_rel, 0);
  EXPECT_LT(result.max_rel, 1. / 256);
  EXPECT_THAT(result.actual_type, HasSubstr("bfloat16 [2]"));
}

TEST(CompareTensorsTest, ZerosAndNothingAreAlike) {
  EXPECT_EQ(Compare(at::zeros({3}), at::zeros({3})).cosine, 1);
  EXPECT_EQ(Compare(at::zeros({0}), at::zeros({0})).cosine, 1);
  EXPECT_FALSE(Compare(at::zeros({0}), at::zeros({0})).IsDifferent());
  EXPECT_EQ(Compare(at::zeros({1}), Row({2})).cosine, 0);
  EXPECT_EQ(Compare(at::zeros({1}), Row({2})).max_rel, 1);
}

TEST(CompareTensorsTest, OtherSizesAreDifferent) {
  const auto result = Compare(at::zeros({2, 3}), at::zeros({3, 2}));
  EXPECT_FALSE(result.sizes_match);
  EXPECT_TRUE(result.IsDifferent());
}

TEST(CompareSetsTest, ListsWhatOneSideLacks) {
  const auto result = CompareSets(
      {{"a", Row({1})}, {"b", Row({2})}, {"c", at::zeros({2})}},
      {{"b", Row({3})}, {"c", at::zeros({3})}, {"d", Row({4})}}, {});
  EXPECT_THAT(result.only_expected, ElementsAre("a"));
  EXPECT_THAT(result.only_actual, ElementsAre("d"));
  ASSERT_EQ(result.tensors.size(), 2u);
  EXPECT_EQ(result.NumDifferent(), 4);
  const std::string text = TextReport(result, false);
  EXPECT_THAT(text, HasSubstr("missing: a\n"));
  EXPECT_THAT(text, HasSubstr("not expected: d\n"));
  EXPECT_THAT(text, HasSubstr("[0] 3, not 2; 1 of 1"));
  EXPECT_THAT(text, HasSubstr("is float [3], not float [2]"));
  EXPECT_THAT(text, HasSubstr("2 tensors compared, 2 different; 1 missing, 1 "
                              "not expected"));
}

TEST(TextReportTest, LeavesOutWhatAgreesIfAsked) {
  const auto result =
      CompareSets({{"same", Row({1})}, {"other", Row({2})}},
                  {{"same", Row({1})}, {"other", Row({3})}}, {});
  EXPECT_THAT(TextReport(result, false), HasSubstr("same "));
  EXPECT_THAT(TextReport(result, true), Not(HasSubstr("same ")));
  EXPECT_THAT(TextReport(result, true), HasSubstr("2 tensors compared"));
}

}  // namespace
}  // namespace mask2former
