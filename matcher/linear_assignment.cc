#include "mask2former/matcher/linear_assignment.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

constexpr int64_t kNone = -1;

// Far enough from overflow that sums of costs along a path stay finite.
constexpr double kLargestCost = 1e300;

// Assigns every row of a matrix with at least as many columns as rows, one row
// after another. The duals keep every reduced cost
//   cost(i, j) - row_dual[i] - column_dual[j]
// at 0 for pairs and non-negative elsewhere (among the rows seen so far), which
// is what makes the pairs optimal.
class Solver {
 public:
  Solver(const double* costs, int64_t num_rows, int64_t num_columns)
      : costs_(costs),
        num_columns_(num_columns),
        row_dual_(num_rows, 0),
        column_dual_(num_columns, 0),
        column_of_row_(num_rows, kNone),
        row_of_column_(num_columns, kNone),
        distance_(num_columns),
        previous_row_(num_columns),
        open_(num_columns),
        closed_() {
    closed_.reserve(num_rows);
  }

  std::vector<int64_t> Solve() && {
    const int64_t num_rows = static_cast<int64_t>(row_dual_.size());
    for (int64_t row = 0; row < num_rows; ++row) Assign(row);
    return std::move(column_of_row_);
  }

 private:
  // Finds the cheapest alternating path from `start` to a free column
  // (Dijkstra over columns), then swaps the pairs along it.
  void Assign(int64_t start) {
    std::fill(distance_.begin(), distance_.end(),
              std::numeric_limits<double>::infinity());
    // Descending: with all costs equal, row i then meets column i first.
    std::iota(open_.rbegin(), open_.rend(), int64_t{0});
    int64_t num_open = num_columns_;
    closed_.clear();

    int64_t row = start;
    int64_t sink = kNone;
    double reached = 0;  // Length of the path to `row`.
    while (sink == kNone) {
      const int64_t position = Relax(row, reached, num_open);
      const int64_t column = open_[position];
      reached = distance_[column];
      open_[position] = open_[--num_open];
      row = row_of_column_[column];
      if (row == kNone) {
        sink = column;
      } else {
        closed_.push_back(column);
      }
    }

    row_dual_[start] += reached;
    for (const int64_t column : closed_) {
      const double slack = reached - distance_[column];
      row_dual_[row_of_column_[column]] += slack;
      column_dual_[column] -= slack;
    }

    for (int64_t column = sink; column != kNone;) {
      const int64_t on_path = previous_row_[column];
      row_of_column_[column] = on_path;
      std::swap(column_of_row_[on_path], column);
    }
  }

  // Extends paths over `row` to the open columns. Returns where in `open_` the
  // nearest stands; of equally near ones the last free one, else the first.
  int64_t Relax(int64_t row, double reached, int64_t num_open) {
    const double* const costs = costs_ + row * num_columns_;
    const double row_dual = row_dual_[row];
    double nearest = std::numeric_limits<double>::infinity();
    int64_t position = kNone;
    for (int64_t i = 0; i < num_open; ++i) {
      const int64_t column = open_[i];
      // In this order, or ties would round apart from SciPy's.
      const double length =
          reached + costs[column] - row_dual - column_dual_[column];
      if (length < distance_[column]) {
        distance_[column] = length;
        previous_row_[column] = row;
      }
      const double distance = distance_[column];
      if (distance < nearest ||
          (distance == nearest && row_of_column_[column] == kNone)) {
        nearest = distance;
        position = i;
      }
    }
    return position;
  }

  const double* const costs_;
  const int64_t num_columns_;
  std::vector<double> row_dual_;
  std::vector<double> column_dual_;
  std::vector<int64_t> column_of_row_;
  std::vector<int64_t> row_of_column_;
  std::vector<double> distance_;       // Of the shortest path to a column.
  std::vector<int64_t> previous_row_;  // On that path.
  std::vector<int64_t> open_;          // Columns whose distance may yet fall.
  std::vector<int64_t> closed_;  // Paired columns whose distance is final.
};

}  // namespace

absl::StatusOr<LinearAssignment> SolveLinearAssignment(
    absl::Span<const double> costs, int64_t num_rows, int64_t num_columns) {
  if (num_rows < 0 || num_columns < 0 ||
      static_cast<int64_t>(costs.size()) != num_rows * num_columns) {
    return absl::InvalidArgumentError(
        absl::StrCat("linear assignment: a ", num_rows, " x ", num_columns,
                     " matrix cannot have ", costs.size(), " entries"));
  }
  for (int64_t i = 0; i < static_cast<int64_t>(costs.size()); ++i) {
    if (!(std::abs(costs[i]) <= kLargestCost)) {  // NaN fails, too.
      return absl::InvalidArgumentError(
          absl::StrCat("linear assignment: the cost of row ", i / num_columns,
                       " and column ", i % num_columns, " is ", costs[i],
                       "; costs must be finite and at most ", kLargestCost));
    }
  }

  LinearAssignment result;
  if (num_rows <= num_columns) {
    result.rows.resize(num_rows);
    std::iota(result.rows.begin(), result.rows.end(), int64_t{0});
    result.columns = Solver(costs.data(), num_rows, num_columns).Solve();
    return result;
  }

  std::vector<double> transposed(costs.size());
  for (int64_t row = 0; row < num_rows; ++row) {
    for (int64_t column = 0; column < num_columns; ++column) {
      transposed[column * num_rows + row] = costs[row * num_columns + column];
    }
  }
  const std::vector<int64_t> row_of_column =
      Solver(transposed.data(), num_columns, num_rows).Solve();
  result.columns.resize(num_columns);
  std::iota(result.columns.begin(), result.columns.end(), int64_t{0});
  std::sort(result.columns.begin(), result.columns.end(),
            [&](int64_t a, int64_t b) {
              return row_of_column[a] < row_of_column[b];
            });
  for (const int64_t column : result.columns) {
    result.rows.push_back(row_of_column[column]);
  }
  return result;
}

}  // namespace mask2former
