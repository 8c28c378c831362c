// Rows are queries, columns are targets. Ours in turns with the Hungarian
// algorithm as textbooks have it; both must find the same cost.

#include <benchmark/benchmark.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "mask2former/common/logging.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/matcher/linear_assignment.h"

namespace mask2former {
namespace {

// The row of each column. Potentials and shortest augmenting paths in O(r c^2),
// one column after another; rows >= columns.
std::vector<int64_t> PlainHungarian(const std::vector<double>& costs,
                                    int64_t rows, int64_t columns) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const int64_t root = rows;  // Stands for the row that the path starts from.
  std::vector<double> row_potential(rows + 1), column_potential(columns);
  std::vector<int64_t> column_of(rows + 1, -1);
  for (int64_t column = 0; column < columns; ++column) {
    std::vector<double> slack(rows, kInfinity);
    std::vector<int64_t> previous(rows, root);
    std::vector<char> visited(rows + 1);
    column_of[root] = column;
    int64_t row = root;
    while (column_of[row] >= 0) {
      visited[row] = 1;
      const int64_t c = column_of[row];
      int64_t next = -1;
      for (int64_t r = 0; r < rows; ++r) {
        if (visited[r]) continue;
        const double reduced =
            costs[r * columns + c] - row_potential[r] - column_potential[c];
        if (reduced < slack[r]) {
          slack[r] = reduced;
          previous[r] = row;
        }
        if (next < 0 || slack[r] < slack[next]) next = r;
      }
      const double step = slack[next];
      for (int64_t r = 0; r <= rows; ++r) {
        if (visited[r]) {
          column_potential[column_of[r]] += step;
          row_potential[r] -= step;
        } else if (r < rows) {
          slack[r] -= step;
        }
      }
      row = next;
    }
    for (; row != root; row = previous[row]) {
      column_of[row] = column_of[previous[row]];
    }
  }
  std::vector<int64_t> row_of(columns);
  for (int64_t r = 0; r < rows; ++r) {
    if (column_of[r] >= 0) row_of[column_of[r]] = r;
  }
  return row_of;
}

void CheckSameCost(const std::vector<double>& costs, int64_t rows,
                   int64_t columns) {
  const auto ours = SolveLinearAssignment(costs, rows, columns);
  CHECK(ours.ok());
  const std::vector<int64_t> theirs = PlainHungarian(costs, rows, columns);
  double our_sum = 0, their_sum = 0;
  for (int64_t i = 0; i < columns; ++i) {
    our_sum += costs[ours->rows[i] * columns + ours->columns[i]];
    their_sum += costs[theirs[i] * columns + i];
  }
  CHECK(std::abs(our_sum - their_sum) < 1e-9 * columns)
      << our_sum << " and " << their_sum;
}

void Compare(benchmark::State& state) {
  const int64_t rows = state.range(0);
  const int64_t columns = state.range(1);
  std::mt19937 generator(1);
  std::uniform_real_distribution<double> uniform;
  std::vector<double> costs(rows * columns);
  for (double& cost : costs) cost = uniform(generator);
  CheckSameCost(costs, rows, columns);
  CompareRuns(
      state, 1,
      [&] {
        benchmark::DoNotOptimize(SolveLinearAssignment(costs, rows, columns));
      },
      [&] { benchmark::DoNotOptimize(PlainHungarian(costs, rows, columns)); });
}
BENCHMARK(Compare)
    ->Args({100, 5})
    ->Args({100, 20})
    ->Args({100, 100})
    ->Args({200, 200})
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
