#ifndef MASK2FORMER_COMMON_TESTING_BENCHMARK_DEVICE_H_
#define MASK2FORMER_COMMON_TESTING_BENCHMARK_DEVICE_H_

#include <benchmark/benchmark.h>
#include <c10/core/DeviceType.h>
#include <torch/cuda.h>

namespace mask2former {

// Whether LibTorch can use such a device. If not, the row says so in place of a
// time.
inline bool HasDevice(benchmark::State& state, c10::DeviceType device) {
  if (device != c10::kCUDA || torch::cuda::is_available()) return true;
  state.SkipWithError("needs a GPU");
  return false;
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_BENCHMARK_DEVICE_H_
