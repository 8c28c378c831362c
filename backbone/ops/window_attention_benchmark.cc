// Ours in turns with the same step by step, and with LibTorch's attention
// operator in the middle of it; all must give the same first. The rows named
// gpu need one.

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

struct Arguments {
  Arguments(int64_t height, int64_t width, int64_t heads, int64_t window,
            at::DeviceType device = at::kCPU)
      : qkv(at::randn({1, height, width, 3 * 32 * heads}, at::device(device))),
        padding(at::randn({3 * 32 * heads}, at::device(device))),
        bias(at::randn({heads, window * window, window * window},
                       at::device(device))),
        window(window) {}

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

void Inference(benchmark::State& state, Op* theirs, at::DeviceType device) {
  if (!HasDevice(state, device)) return;
  const at::NoGradGuard no_grad;
  const Arguments arguments(state.range(0), state.range(1), state.range(2),
                            state.range(3), device);
  CHECK(at::allclose(Run(WindowAttention, arguments), Run(theirs, arguments),
                     1e-3, 1e-4));
  const auto run = [&](Op* op) {
    benchmark::DoNotOptimize(Run(op, arguments));
    if (device == at::kCUDA) torch::cuda::synchronize();
  };
  CompareRuns(
      state, 1, [&] { run(WindowAttention); }, [&] { run(theirs); });
}
BENCHMARK_CAPTURE(Inference, composed, ComposedWindowAttention, at::kCPU)
    ->Apply(FrameSizes);
BENCHMARK_CAPTURE(Inference, sdpa, SdpaWindowAttention, at::kCPU)
    ->Apply(FrameSizes);
BENCHMARK_CAPTURE(Inference, composed_gpu, ComposedWindowAttention, at::kCUDA)
    ->Apply(FrameSizes);

// The crop of a training step: a quarter of the frame.
void CropSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"height", "width", "heads", "window"})
      ->Args({BenchmarkSize(128, 16), BenchmarkSize(256, 32), 3, 7})
      ->Args({BenchmarkSize(32, 10), BenchmarkSize(64, 20), 12, 7})
      ->Unit(benchmark::kMillisecond)
      ->UseManualTime();
}

void Training(benchmark::State& state, Op* theirs) {
  Arguments arguments(state.range(0), state.range(1), state.range(2),
                      state.range(3));
  arguments.qkv.requires_grad_();
  arguments.padding.requires_grad_();
  arguments.bias.requires_grad_();
  CompareRuns(
      state, 1, [&] { Run(WindowAttention, arguments).sum().backward(); },
      [&] { Run(theirs, arguments).sum().backward(); });
}
BENCHMARK_CAPTURE(Training, composed, ComposedWindowAttention)
    ->Apply(CropSizes);
BENCHMARK_CAPTURE(Training, sdpa, SdpaWindowAttention)->Apply(CropSizes);

}  // namespace
}  // namespace mask2former::ops

BENCHMARK_MAIN();
