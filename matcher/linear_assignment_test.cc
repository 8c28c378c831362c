#include "mask2former/matcher/linear_assignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// u(name, i) of common/testing/reference_values.h, without tensors.
std::vector<double> Uniform(const std::string& name, int64_t count) {
  uint32_t hash = 2166136261u;
  for (const char c : name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  }
  std::vector<double> values(count);
  for (int64_t i = 0; i < count; ++i) {
    uint32_t x = hash + static_cast<uint32_t>(i) * 0x9E3779B9u;
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    values[i] = (x >> 8) / 16777216.0;
  }
  return values;
}

struct Matrix {
  int64_t rows;
  int64_t columns;
  std::vector<double> costs;
};

// matrix() of tools/goldens/linear_assignment.py.
Matrix GoldenMatrix(int64_t index) {
  const std::vector<double> sizes = Uniform(absl::StrCat("size", index), 2);
  Matrix m = {static_cast<int64_t>(201 * sizes[0] * sizes[0]),
              static_cast<int64_t>(201 * sizes[1] * sizes[1]),
              {}};
  m.costs = Uniform(absl::StrCat("cost", index), m.rows * m.columns);
  for (int64_t i = 0; i < m.rows * m.columns; ++i) {
    double& c = m.costs[i];
    switch (index % 10) {
      case 0:
        break;
      case 1:
        c = 2 * c - 1;
        break;
      case 2:
        c = (2 * c - 1) * 1e10;
        break;
      case 3:
        c = c * -1e300;
        break;
      case 4:
        c = std::floor(4 * c);
        break;
      case 5:
        c = std::floor(2 * c);
        break;
      case 6:
        c = 3;
        break;
      case 7:
        c = c < 0.5 ? c * 1e10 : c;
        break;
      case 8:
        c = i < m.columns ? std::floor(64 * c) : m.costs[i - m.columns];
        break;
      default:
        c = static_cast<double>((i / m.columns + 1) * (i % m.columns + 1));
    }
  }
  return m;
}

// The pairs' costs, or NaN if they are not a one-to-one pairing of the shorter
// side in ascending order of rows.
double TotalCost(const Matrix& m, const LinearAssignment& pairs) {
  const size_t count = std::min(m.rows, m.columns);
  if (pairs.rows.size() != count || pairs.columns.size() != count) return kNan;
  std::vector<bool> used(m.columns);
  double total = 0;
  for (size_t i = 0; i < count; ++i) {
    const int64_t row = pairs.rows[i];
    const int64_t column = pairs.columns[i];
    if (row < 0 || row >= m.rows || column < 0 || column >= m.columns ||
        (i > 0 && row <= pairs.rows[i - 1]) || used[column]) {
      return kNan;
    }
    used[column] = true;
    total += m.costs[row * m.columns + column];
  }
  return total;
}

uint32_t Hash(const LinearAssignment& pairs) {
  uint32_t hash = 2166136261u;
  const auto add = [&hash](int64_t number) {
    hash = (hash ^ (number & 255)) * 16777619u;
    hash = (hash ^ (number >> 8)) * 16777619u;
  };
  for (size_t i = 0; i < pairs.rows.size(); ++i) {
    add(pairs.rows[i]);
    add(pairs.columns[i]);
  }
  return hash;
}

TEST(LinearAssignmentTest, SolvesTheReferenceExample) {
  const auto pairs = SolveLinearAssignment(
      {4, 1, 3, 2, 0, 5, 3, 2, 2, 9, .5, 1}, /*num_rows=*/4, /*num_columns=*/3);
  ASSERT_THAT(pairs, IsOk());
  EXPECT_THAT(pairs->rows, ElementsAre(1, 2, 3));
  EXPECT_THAT(pairs->columns, ElementsAre(1, 0, 2));
}

TEST(LinearAssignmentTest, EqualsSciPyOnTenThousandMatrices) {
  std::ifstream file("matcher/testdata/linear_assignment.bin",
                     std::ios::binary);
  const std::string records{std::istreambuf_iterator<char>(file), {}};
  ASSERT_EQ(records.size(), 120000u);
  int64_t rows = 0, columns = 0, tall = 0, wide = 0, empty = 0;
  for (int64_t i = 0; i < 10000; ++i) {
    const Matrix m = GoldenMatrix(i);
    rows = std::max(rows, m.rows);
    columns = std::max(columns, m.columns);
    tall += m.rows > m.columns;
    wide += m.rows < m.columns;
    empty += m.rows * m.columns == 0;
    double total;
    uint32_t hash;
    std::memcpy(&total, &records[12 * i], sizeof(total));
    std::memcpy(&hash, &records[12 * i + 8], sizeof(hash));
    const auto pairs = SolveLinearAssignment(m.costs, m.rows, m.columns);
    ASSERT_THAT(pairs, IsOk());
    ASSERT_NEAR(TotalCost(m, *pairs), total, 1e-9 * std::abs(total))
        << "matrix " << i << ", " << m.rows << " x " << m.columns;
    // The same pairs, even where others cost the same.
    ASSERT_EQ(Hash(*pairs), hash)
        << "matrix " << i << ", " << m.rows << " x " << m.columns;
  }
  // The formula makes what it promises.
  EXPECT_GE(rows, 199);
  EXPECT_GE(columns, 199);
  EXPECT_GT(tall, 4000);
  EXPECT_GT(wide, 4000);
  EXPECT_GT(empty, 100);
}

TEST(LinearAssignmentTest, EqualsTheBestOfAllPermutations) {
  for (int64_t seed = 0; seed < 200; ++seed) {
    Matrix m = {4, 6, Uniform(absl::StrCat("small", seed), 24)};
    for (double& c : m.costs) c = std::floor(20 * c) - 10;
    const auto pairs = SolveLinearAssignment(m.costs, m.rows, m.columns);
    ASSERT_THAT(pairs, IsOk());
    std::vector<int64_t> order(m.columns);
    std::iota(order.begin(), order.end(), int64_t{0});
    double best = kInfinity;
    do {
      double total = 0;
      for (int64_t r = 0; r < m.rows; ++r) {
        total += m.costs[r * m.columns + order[r]];
      }
      best = std::min(best, total);
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_EQ(TotalCost(m, *pairs), best);
  }
}

TEST(LinearAssignmentTest, TransposedMatrixHasTheTransposedAnswer) {
  for (int64_t seed = 0; seed < 50; ++seed) {
    const Matrix m = {9, 5, Uniform(absl::StrCat("transpose", seed), 45)};
    Matrix t = {5, 9, std::vector<double>(45)};
    for (int64_t i = 0; i < 45; ++i) {
      t.costs[(i % 5) * 9 + i / 5] = m.costs[i];
    }
    const auto tall = SolveLinearAssignment(m.costs, m.rows, m.columns);
    const auto wide = SolveLinearAssignment(t.costs, t.rows, t.columns);
    ASSERT_THAT(tall, IsOk());
    ASSERT_THAT(wide, IsOk());
    EXPECT_NEAR(TotalCost(m, *tall), TotalCost(t, *wide), 1e-12);
    for (size_t i = 0; i < wide->rows.size(); ++i) {
      const size_t place =
          std::find(tall->rows.begin(), tall->rows.end(), wide->columns[i]) -
          tall->rows.begin();
      ASSERT_LT(place, tall->rows.size());
      EXPECT_EQ(tall->columns[place], wide->rows[i]);
    }
  }
}

TEST(LinearAssignmentTest, ConstantCostsGiveTheIdentity) {
  const auto pairs = SolveLinearAssignment(std::vector<double>(12, 7), 3, 4);
  ASSERT_THAT(pairs, IsOk());
  EXPECT_THAT(pairs->rows, ElementsAre(0, 1, 2));
  EXPECT_THAT(pairs->columns, ElementsAre(0, 1, 2));
}

TEST(LinearAssignmentTest, AcceptsEmptySides) {
  for (const auto& [rows, columns] :
       {std::pair{0, 0}, std::pair{0, 3}, std::pair{3, 0}}) {
    const auto pairs = SolveLinearAssignment({}, rows, columns);
    ASSERT_THAT(pairs, IsOk());
    EXPECT_THAT(pairs->rows, IsEmpty());
    EXPECT_THAT(pairs->columns, IsEmpty());
  }
}

TEST(LinearAssignmentTest, NamesTheCostThatIsNotANumber) {
  for (const double bad : {kNan, kInfinity, -kInfinity, 2e300}) {
    std::vector<double> costs(12, 1);
    costs[7] = bad;
    EXPECT_THAT(SolveLinearAssignment(costs, 4, 3),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("row 2"), HasSubstr("column 1"),
                               HasSubstr("must be finite"))));
  }
}

TEST(LinearAssignmentTest, RefusesSizesThatDoNotFit) {
  EXPECT_THAT(SolveLinearAssignment({1, 2, 3}, 2, 2),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("2 x 2 matrix cannot have 3 entries")));
  EXPECT_THAT(SolveLinearAssignment({}, -1, 0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("-1")));
}

}  // namespace
}  // namespace mask2former
