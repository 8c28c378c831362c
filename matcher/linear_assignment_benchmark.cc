// Rows are queries, columns are targets.

#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "mask2former/matcher/linear_assignment.h"

namespace mask2former {
namespace {

void BM_SolveLinearAssignment(benchmark::State& state) {
  const int64_t rows = state.range(0);
  const int64_t columns = state.range(1);
  std::mt19937 generator(1);
  std::uniform_real_distribution<double> uniform;
  std::vector<double> costs(rows * columns);
  for (double& cost : costs) cost = uniform(generator);
  for (auto _ : state) {
    benchmark::DoNotOptimize(SolveLinearAssignment(costs, rows, columns));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SolveLinearAssignment)
    ->Args({100, 5})
    ->Args({100, 20})
    ->Args({100, 100})
    ->Args({200, 200})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
