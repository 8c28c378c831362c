#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include "mask2former/backbone/ops/window_attention.h"
#include "mask2former/backbone/ops/window_attention_composed.h"

namespace mask2former::ops {
namespace {

struct Arguments {
  Arguments(int64_t height, int64_t width, int64_t heads, int64_t window)
      : qkv(at::randn({1, height, width, 3 * 32 * heads})),
        padding(at::randn({3 * 32 * heads})),
        bias(at::randn({heads, window * window, window * window})),
        window(window) {}

  at::Tensor qkv, padding, bias;
  int64_t window;
};

// Shifted blocks of a Cityscapes frame: height and width of the map, heads,
// window. Swin-T at strides 4 and 16, Swin-B at stride 4.
void FrameSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"height", "width", "heads", "window"})
      ->Args({256, 512, 3, 7})
      ->Args({64, 128, 12, 7})
      ->Args({256, 512, 4, 12})
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&,
                                 const at::Tensor&, int64_t, int64_t)>
void Inference(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const Arguments arguments(state.range(0), state.range(1), state.range(2),
                            state.range(3));
  for (auto _ : state) {
    benchmark::DoNotOptimize(function(arguments.qkv, arguments.padding,
                                      arguments.bias, arguments.window,
                                      arguments.window / 2));
  }
  state.SetItemsProcessed(state.iterations());
}
void BM_Inference(benchmark::State& state) {
  Inference<WindowAttention>(state);
}
BENCHMARK(BM_Inference)->Apply(FrameSizes);
void BM_ComposedInference(benchmark::State& state) {
  Inference<ComposedWindowAttention>(state);
}
BENCHMARK(BM_ComposedInference)->Apply(FrameSizes);
void BM_SdpaInference(benchmark::State& state) {
  Inference<SdpaWindowAttention>(state);
}
BENCHMARK(BM_SdpaInference)->Apply(FrameSizes);

// The crop of a training step: a quarter of the frame.
void CropSizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"height", "width", "heads", "window"})
      ->Args({128, 256, 3, 7})
      ->Args({32, 64, 12, 7})
      ->Unit(benchmark::kMillisecond)
      ->UseRealTime();
}

template <at::Tensor (*function)(const at::Tensor&, const at::Tensor&,
                                 const at::Tensor&, int64_t, int64_t)>
void Training(benchmark::State& state) {
  Arguments arguments(state.range(0), state.range(1), state.range(2),
                      state.range(3));
  arguments.qkv.requires_grad_();
  arguments.padding.requires_grad_();
  arguments.bias.requires_grad_();
  for (auto _ : state) {
    function(arguments.qkv, arguments.padding, arguments.bias, arguments.window,
             arguments.window / 2)
        .sum()
        .backward();
  }
  state.SetItemsProcessed(state.iterations());
}
void BM_Training(benchmark::State& state) { Training<WindowAttention>(state); }
BENCHMARK(BM_Training)->Apply(CropSizes);
void BM_ComposedTraining(benchmark::State& state) {
  Training<ComposedWindowAttention>(state);
}
BENCHMARK(BM_ComposedTraining)->Apply(CropSizes);
void BM_SdpaTraining(benchmark::State& state) {
  Training<SdpaWindowAttention>(state);
}
BENCHMARK(BM_SdpaTraining)->Apply(CropSizes);

}  // namespace
}  // namespace mask2former::ops

BENCHMARK_MAIN();
