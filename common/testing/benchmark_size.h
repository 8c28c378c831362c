#ifndef MASK2FORMER_COMMON_TESTING_BENCHMARK_SIZE_H_
#define MASK2FORMER_COMMON_TESTING_BENCHMARK_SIZE_H_

#include <cstdint>
#include <cstdlib>

namespace mask2former {

// `size`, or `small` where M2F_SMALL_BENCHMARKS is set: a benchmark's smoke
// test asks whether its rows still work, and not how long they take.
inline int64_t BenchmarkSize(int64_t size, int64_t small) {
  return std::getenv("M2F_SMALL_BENCHMARKS") == nullptr ? size : small;
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_BENCHMARK_SIZE_H_
