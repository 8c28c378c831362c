// One encoder layer's deformable attention on a Cityscapes image of 1024 x 2048
// on a GPU, the pairs of compared_kernels.h: S = Q = 43008. Every row looks
// whether our kernel and what it is compared with give the same, then runs them
// in turns and reports times_faster, by the medians.

#include <benchmark/benchmark.h>
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/pixel_decoder/ops/benchmark/compared_kernels.h"

namespace mask2former::ops {
namespace {

void Check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s\n", cudaGetErrorString(error));
  std::exit(1);
}

const ComparedArguments& GetArguments() {
  static const auto* const arguments =
      new ComparedArguments(BenchmarkSize(1024, 64));
  return *arguments;
}

double Seconds(void (*run)(const ComparedArguments&)) {
  static cudaEvent_t begin = nullptr, end = nullptr;
  if (begin == nullptr) {
    Check(cudaEventCreate(&begin));
    Check(cudaEventCreate(&end));
  }
  Check(cudaEventRecord(begin));
  run(GetArguments());
  Check(cudaEventRecord(end));
  Check(cudaEventSynchronize(end));
  float milliseconds = 0;
  Check(cudaEventElapsedTime(&milliseconds, begin, end));
  return milliseconds / 1e3;
}

void Compare(benchmark::State& state, const ComparedPair& pair) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    state.SkipWithError("needs a GPU");
    return;
  }
  const std::string differences = FindDifferences(GetArguments(), pair);
  if (!differences.empty()) {
    state.SkipWithError(("the two sides differ in " + differences).c_str());
    return;
  }
  for (int i = 0; i < 3; ++i) {
    Seconds(pair.ours);
    Seconds(pair.theirs);
  }
  CompareBenchmark(
      state, GetArguments().sizes.queries, [&] { return Seconds(pair.ours); },
      [&] { return Seconds(pair.theirs); });
}

}  // namespace
}  // namespace mask2former::ops

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  for (const auto& pair : mask2former::ops::ComparedPairs()) {
    benchmark::RegisterBenchmark(("Compare/" + std::string(pair.name)).c_str(),
                                 mask2former::ops::Compare, pair)
        ->UseManualTime()
        ->Unit(benchmark::kMicrosecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
