#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include "mask2former/backbone/resnet.h"
#include "mask2former/common/testing/benchmark_size.h"

namespace mask2former {
namespace {

std::shared_ptr<ResNet> MakeResNet(int depth) {
  ResNetConfig config;
  config.set_depth(depth);
  return *ResNet::Create(config);
}

// The Cityscapes training crop.
at::Tensor MakeImages() {
  return at::randn({1, 3, BenchmarkSize(512, 64), BenchmarkSize(1024, 128)});
}

// As inference sees it.
void BM_Inference(benchmark::State& state) {
  const auto resnet = MakeResNet(state.range(0));
  resnet->eval();
  const torch::Tensor images = MakeImages();
  const torch::NoGradGuard no_grad;
  for (auto _ : state) {
    benchmark::DoNotOptimize(resnet->forward(images));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Inference)
    ->ArgName("depth")
    ->Arg(50)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// The same weights without folding: what a graph for gradients costs.
void BM_Forward(benchmark::State& state) {
  const auto resnet = MakeResNet(state.range(0));
  resnet->eval();
  const torch::Tensor images = MakeImages();
  for (auto _ : state) {
    benchmark::DoNotOptimize(resnet->forward(images));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Forward)
    ->ArgName("depth")
    ->Arg(50)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// One image of a training step: forward and backward.
void BM_ForwardAndBackward(benchmark::State& state) {
  const auto resnet = MakeResNet(state.range(0));
  const torch::Tensor images = MakeImages();
  for (auto _ : state) {
    torch::Tensor loss;
    for (const torch::Tensor& map : resnet->forward(images)) {
      loss = loss.defined() ? loss + map.mean() : map.mean();
    }
    loss.backward();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ForwardAndBackward)
    ->ArgName("depth")
    ->Arg(50)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
