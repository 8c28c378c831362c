#ifndef MASK2FORMER_COMMON_TESTING_COMPARE_BENCHMARK_H_
#define MASK2FORMER_COMMON_TESTING_COMPARE_BENCHMARK_H_

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace mask2former {

// The middle one; of an even number, the upper of the two. Not empty.
inline double Median(std::vector<double> values) {
  const auto middle =
      values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Times two ways to do one thing in turns, so that what else the machine does
// meets both, and reports ours and, as counters, how many times faster it is:
// times_faster by the medians, times_faster_by_minimum by the shortest times,
// and their_median_us.
//
//   ours, theirs  run once and return the seconds it took
//   items         that one run works on, for items_per_second
//
// Both find memory that glibc has kept, as in our programs (common/program.h):
// else a peer that makes large tensors would mostly wait for new pages.
//
// For benchmarks with UseManualTime(). Each side runs once before.
template <typename Ours, typename Theirs>
void CompareBenchmark(benchmark::State& state, int64_t items, const Ours& ours,
                      const Theirs& theirs) {
  mallopt(M_MMAP_THRESHOLD, INT_MAX);
  mallopt(M_TRIM_THRESHOLD, INT_MAX);
  theirs();
  ours();
  std::vector<double> our_times, their_times;
  for (auto _ : state) {
    their_times.push_back(theirs());
    our_times.push_back(ours());
    state.SetIterationTime(our_times.back());
  }
  state.counters["times_faster"] = Median(their_times) / Median(our_times);
  state.counters["times_faster_by_minimum"] =
      *std::min_element(their_times.begin(), their_times.end()) /
      *std::min_element(our_times.begin(), our_times.end());
  state.counters["their_median_us"] = 1e6 * Median(their_times);
  state.SetItemsProcessed(state.iterations() * items);
}

// The seconds that `run` takes. What it gives a GPU to do counts if `run` waits
// for it.
template <typename Run>
double SecondsOf(const Run& run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

// CompareBenchmark() where all that `ours` and `theirs` do is to be timed.
template <typename Ours, typename Theirs>
void CompareRuns(benchmark::State& state, int64_t items, const Ours& ours,
                 const Theirs& theirs) {
  CompareBenchmark(
      state, items, [&] { return SecondsOf(ours); },
      [&] { return SecondsOf(theirs); });
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_COMPARE_BENCHMARK_H_
