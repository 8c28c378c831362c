// Ours in turns with the same step by step, and with LibTorch's attention
// operator in the middle of it; all must give the same first. Rows with gpu in
// their names need one.

#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <torch/cuda.h>

#include "mask2former/backbone/ops/window_attention.h"
#include "mask2former/backbone/ops/window_attention_composed.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/testing/benchmark_device.h"
#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/common/testing/compare_benchmark.h"

namespace mask2former::ops {
namespace {

struct Place {
  at::DeviceType device;
  at::ScalarType type;
};
constexpr Place kCpu = {at::kCPU, at::kFloat};
constexpr Place kGpu = {at::kCUDA, at::kFloat};
constexpr Place kGpuHalf = {at::kCUDA, at::kBFloat16};

struct Arguments {
  Arguments(const benchmark::State& state, const Place& place)
      : window(state.range(3)) {
    const int64_t heads = state.range(2), positions = window * window;
    const auto draw = [&](at::IntArrayRef sizes) {
      return at::randn(sizes, at::device(place.device)).to(place.type);
    };
    qkv = draw({1, state.range(0), state.range(1), 3 * 32 * heads});
    padding = draw({3 * 32 * heads});
    bias = draw({heads, positions, positions});
  }

  at::Tensor qkv, padding, bias;
  int64_t window;
};

// Shifted blocks of a Cityscapes frame: height and width of the map, heads,
// window. Swin-T at strides 4 and 16, Swin-B at stride 4.
void FrameSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"height", "width", "heads", "window"})
      ->Args({BenchmarkSize(256, 16), BenchmarkSize(512, 32), 3, 7})
      ->Args({BenchmarkSize(64, 10), BenchmarkSize(128, 20), 12, 7})
      ->Args({BenchmarkSize(256, 16), BenchmarkSize(512, 32), 4, 12})
      ->Unit(benchmark::kMillisecond)
      ->UseManualTime();
}

using Op = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                      int64_t, int64_t);

at::Tensor Run(Op* op, const Arguments& a) {
  return op(a.qkv, a.padding, a.bias, a.window, a.window / 2);
}

// Which rounds halves at every step; ours rounds once.
bool AreNear(const at::Tensor& ours, const at::Tensor& theirs) {
  const bool half = ours.scalar_type() != at::kFloat;
  return at::allclose(ours, theirs, half ? 5e-2 : 1e-3, half ? 5e-2 : 1e-4);
}

void Synchronize(const Place& place) {
  if (place.device == at::kCUDA) torch::cuda::synchronize();
}

void Inference(benchmark::State& state, Op* theirs, Place place) {
  if (!HasDevice(state, place.device)) return;
  const at::NoGradGuard no_grad;
  const Arguments arguments(state, place);
  CHECK(AreNear(Run(WindowAttention, arguments), Run(theirs, arguments)));
  const auto run = [&](Op* op) {
    benchmark::DoNotOptimize(Run(op, arguments));
    Synchronize(place);
  };
  CompareRuns(
      state, 1, [&] { run(WindowAttention); }, [&] { run(theirs); });
}
BENCHMARK_CAPTURE(Inference, composed, ComposedWindowAttention, kCpu)
    ->Apply(FrameSizes);
BENCHMARK_CAPTURE(Inference, sdpa, SdpaWindowAttention, kCpu)
    ->Apply(FrameSizes);
BENCHMARK_CAPTURE(Inference, composed_gpu, ComposedWindowAttention, kGpu)
    ->Apply(FrameSizes);
BENCHMARK_CAPTURE(Inference, sdpa_gpu, SdpaWindowAttention, kGpu)
    ->Apply(FrameSizes);
BENCHMARK_CAPTURE(Inference, sdpa_gpu_bf16, SdpaWindowAttention, kGpuHalf)
    ->Apply(FrameSizes);

// The crop of a training step: a quarter of the frame.
void CropSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"height", "width", "heads", "window"})
      ->Args({BenchmarkSize(128, 16), BenchmarkSize(256, 32), 3, 7})
      ->Args({BenchmarkSize(32, 10), BenchmarkSize(64, 20), 12, 7})
      ->Unit(benchmark::kMillisecond)
      ->UseManualTime();
}

void Training(benchmark::State& state, Op* theirs, Place place) {
  if (!HasDevice(state, place.device)) return;
  Arguments arguments(state, place);
  arguments.qkv.requires_grad_();
  arguments.padding.requires_grad_();
  arguments.bias.requires_grad_();
  const auto run = [&](Op* op) {
    Run(op, arguments).sum().backward();
    Synchronize(place);
  };
  CompareRuns(
      state, 1, [&] { run(WindowAttention); }, [&] { run(theirs); });
}
BENCHMARK_CAPTURE(Training, composed, ComposedWindowAttention, kCpu)
    ->Apply(CropSizes);
BENCHMARK_CAPTURE(Training, sdpa, SdpaWindowAttention, kCpu)->Apply(CropSizes);
BENCHMARK_CAPTURE(Training, sdpa_gpu, SdpaWindowAttention, kGpu)
    ->Apply(CropSizes);
BENCHMARK_CAPTURE(Training, sdpa_gpu_bf16, SdpaWindowAttention, kGpuHalf)
    ->Apply(CropSizes);

}  // namespace
}  // namespace mask2former::ops

BENCHMARK_MAIN();
