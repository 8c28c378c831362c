#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/transformer_decoder/masked_attention_decoder.h"

namespace mask2former {
namespace {

// The paper's decoder on the maps of one Cityscapes training crop, 512 x 1024.
struct Setup {
  Setup() {
    decoder = *MaskedAttentionDecoder::Create({}, 256, 256, 19);
    const int64_t height = BenchmarkSize(512, 64);
    const int64_t width = 2 * height;
    for (const int64_t stride : {32, 16, 8}) {
      levels.push_back(at::randn({1, 256, height / stride, width / stride}));
    }
    mask_features = at::randn({1, 256, height / 4, width / 4});
  }

  std::shared_ptr<MaskedAttentionDecoder> decoder;
  std::vector<torch::Tensor> levels;
  torch::Tensor mask_features;
};

// The last prediction only, by pre-shrunk mask features.
void BM_PredictFinal(benchmark::State& state) {
  const Setup setup;
  setup.decoder->eval();
  const torch::NoGradGuard no_grad;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        setup.decoder->PredictFinal(setup.levels, setup.mask_features));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PredictFinal)->Unit(benchmark::kMillisecond)->UseRealTime();

// All ten predictions.
void BM_Forward(benchmark::State& state) {
  const Setup setup;
  setup.decoder->eval();
  const torch::NoGradGuard no_grad;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        setup.decoder->forward(setup.levels, setup.mask_features));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Forward)->Unit(benchmark::kMillisecond)->UseRealTime();

// The decoder's share of a training step of one image.
void BM_ForwardAndBackward(benchmark::State& state) {
  const Setup setup;
  setup.mask_features.requires_grad_();
  for (auto _ : state) {
    torch::Tensor loss;
    for (const MaskPrediction& prediction :
         setup.decoder->forward(setup.levels, setup.mask_features)) {
      const torch::Tensor term =
          prediction.class_logits.mean() + prediction.mask_logits.mean();
      loss = loss.defined() ? loss + term : term;
    }
    loss.backward();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ForwardAndBackward)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
