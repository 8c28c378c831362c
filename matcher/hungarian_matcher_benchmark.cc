// Stands for one image of a Cityscapes crop of 512 x 1024: Q = 100 queries with
// masks of 128 x 256, N = 20 targets, T = 12544 points.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "mask2former/common/logging.h"
#include "mask2former/common/point_sample.h"
#include "mask2former/matcher/hungarian_matcher.h"
#include "mask2former/matcher/matching_costs.h"

namespace mask2former {
namespace {

constexpr int64_t kQueries = 100;
constexpr int64_t kTargets = 20;
constexpr int64_t kPoints = 12544;

struct Image {
  MaskPrediction prediction;
  std::vector<MaskTarget> targets;
};

Image MakeImage() {
  const at::Generator generator = at::detail::createCPUGenerator(/*seed=*/1);
  const auto uniform = [&](at::IntArrayRef sizes) {
    return at::rand(sizes, generator);
  };
  return {{2 * uniform({1, kQueries, 20}) - 1,
           20 * uniform({1, kQueries, 128, 256}) - 10},
          {{(19 * uniform({kTargets})).to(at::kLong),
            uniform({kTargets, 512, 1024}) < 0.3}}};
}

void BM_Match(benchmark::State& state) {
  const Image image = MakeImage();
  const auto matcher = HungarianMatcher::Create(HungarianMatcherConfig());
  CHECK(matcher.ok());
  GeneratorPointSource points(at::detail::createCPUGenerator(/*seed=*/1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        (*matcher)->Match(image.prediction, image.targets, points));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Match)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_SampleQueries(benchmark::State& state) {
  const Image image = MakeImage();
  const at::Tensor points = at::rand({1, kPoints, 2});
  for (auto _ : state) {
    benchmark::DoNotOptimize(PointSample(image.prediction.mask_logits, points));
  }
  state.SetItemsProcessed(state.iterations() * kQueries * kPoints);
}
BENCHMARK(BM_SampleQueries)->Unit(benchmark::kMillisecond)->UseRealTime();

// The same by LibTorch's operator.
void BM_SampleQueriesByGridSampler(benchmark::State& state) {
  const Image image = MakeImage();
  const at::Tensor points = at::rand({1, kPoints, 2});
  for (auto _ : state) {
    benchmark::DoNotOptimize(at::grid_sampler(image.prediction.mask_logits,
                                              2 * points.unsqueeze(1) - 1, 0, 0,
                                              false));
  }
  state.SetItemsProcessed(state.iterations() * kQueries * kPoints);
}
BENCHMARK(BM_SampleQueriesByGridSampler)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_SampleTargets(benchmark::State& state) {
  const Image image = MakeImage();
  const at::Tensor points = at::rand({1, kPoints, 2});
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        PointSample(image.targets[0].masks.unsqueeze(0), points));
  }
  state.SetItemsProcessed(state.iterations() * kTargets * kPoints);
}
BENCHMARK(BM_SampleTargets)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_SampleTargetsByGridSampler(benchmark::State& state) {
  const Image image = MakeImage();
  const at::Tensor points = at::rand({1, kPoints, 2});
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        at::grid_sampler(image.targets[0].masks.unsqueeze(0).to(at::kFloat),
                         2 * points.unsqueeze(1) - 1, 0, 0, false));
  }
  state.SetItemsProcessed(state.iterations() * kTargets * kPoints);
}
BENCHMARK(BM_SampleTargetsByGridSampler)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_MaskCosts(benchmark::State& state) {
  const at::Tensor logits = 20 * at::rand({kQueries, kPoints}) - 10;
  const at::Tensor labels = at::rand({kTargets, kPoints});
  for (auto _ : state) {
    benchmark::DoNotOptimize(ComputeMaskCosts(logits, labels));
  }
  state.SetItemsProcessed(state.iterations() * kQueries * kPoints);
}
BENCHMARK(BM_MaskCosts)->Unit(benchmark::kMillisecond)->UseRealTime();

// As published: two tensors of cross entropies, three products.
void BM_MaskCostsAsPublished(benchmark::State& state) {
  const at::Tensor x = 20 * at::rand({kQueries, kPoints}) - 10;
  const at::Tensor t = at::rand({kTargets, kPoints});
  for (auto _ : state) {
    const at::Tensor positive = at::binary_cross_entropy_with_logits(
        x, at::ones_like(x), {}, {}, at::Reduction::None);
    const at::Tensor negative = at::binary_cross_entropy_with_logits(
        x, at::zeros_like(x), {}, {}, at::Reduction::None);
    benchmark::DoNotOptimize(
        (at::mm(positive, t.t()) + at::mm(negative, (1 - t).t())) / kPoints);
    const at::Tensor s = x.sigmoid();
    benchmark::DoNotOptimize(
        1 - (2 * at::mm(s, t.t()) + 1) /
                (s.sum(1).unsqueeze(1) + t.sum(1).unsqueeze(0) + 1));
  }
  state.SetItemsProcessed(state.iterations() * kQueries * kPoints);
}
BENCHMARK(BM_MaskCostsAsPublished)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
