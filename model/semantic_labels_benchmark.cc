// From logits to labels, for the Cityscapes crop, 512 x 1024, and the whole
// picture, 1024 x 2048: 100 queries, 19 classes.

#include <ATen/core/grad_mode.h>
#include <ATen/ops/max.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include <tuple>

#include "mask2former/model/semantic_inference.h"
#include "mask2former/model/semantic_labels.h"

namespace mask2former {
namespace {

MaskPrediction RandomPrediction(const ImageSize& size) {
  return {at::randn({1, 100, 20}),
          at::randn({1, 100, size.height / 4, size.width / 4})};
}

void Labels(benchmark::State& state) {
  const ImageSize size = {state.range(0), 2 * state.range(0)};
  const MaskPrediction prediction = RandomPrediction(size);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        SemanticLabels(prediction, 0, size, size, size).data_ptr());
  }
  state.SetItemsProcessed(state.iterations());
}

void ScoresThenArgMax(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const ImageSize size = {state.range(0), 2 * state.range(0)};
  const MaskPrediction prediction = RandomPrediction(size);
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        std::get<1>(SemanticInference(prediction, 0, size, size, size).max(0))
            .data_ptr());
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(Labels)->Arg(512)->Arg(1024)->UseRealTime()->Unit(
    benchmark::kMillisecond);
BENCHMARK(ScoresThenArgMax)
    ->Arg(512)
    ->Arg(1024)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
