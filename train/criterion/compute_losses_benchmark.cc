// Stands for a training step on Cityscapes crops of 512 x 1024, 2 images: one
// prediction of 100 queries with masks of 128 x 256, 10 targets per image.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <benchmark/benchmark.h>

#include <vector>

#include "mask2former/common/logging.h"
#include "mask2former/matcher/hungarian_matcher.h"
#include "mask2former/train/criterion/compute_losses.h"
#include "mask2former/train/criterion/uncertain_points.h"

namespace mask2former {
namespace {

constexpr int64_t kImages = 2;
constexpr int64_t kQueries = 100;
constexpr int64_t kTargets = 10;

struct Batch {
  MaskPrediction prediction;
  std::vector<MaskTarget> targets;
};

Batch MakeBatch() {
  const at::Generator generator = at::detail::createCPUGenerator(/*seed=*/1);
  const auto uniform = [&](at::IntArrayRef sizes) {
    return at::rand(sizes, generator);
  };
  Batch batch;
  batch.prediction = {
      (2 * uniform({kImages, kQueries, 20}) - 1).requires_grad_(),
      (20 * uniform({kImages, kQueries, 128, 256}) - 10).requires_grad_()};
  for (int64_t b = 0; b < kImages; ++b) {
    batch.targets.push_back({(19 * uniform({kTargets})).to(at::kLong),
                             uniform({kTargets, 512, 1024}) < 0.3});
  }
  return batch;
}

// Matching, losses, and their gradients back to the logits.
void BM_ComputeLosses(benchmark::State& state) {
  const Batch batch = MakeBatch();
  const auto matcher = HungarianMatcher::Create(HungarianMatcherConfig());
  const auto criterion = SetCriterion::Create(CriterionConfig());
  CHECK(matcher.ok() && criterion.ok());
  GeneratorPointSource points(at::detail::createCPUGenerator(/*seed=*/1));
  const LossNormalizer normalizer =
      NormalizeByBatch(TargetCounts(batch.targets), kQueries, 0.1);
  for (auto _ : state) {
    const auto losses =
        ComputeLosses({batch.prediction}, batch.targets, **matcher, *criterion,
                      normalizer, points);
    CHECK(losses.ok());
    losses->total.backward();
    batch.prediction.class_logits.mutable_grad() = at::Tensor();
    batch.prediction.mask_logits.mutable_grad() = at::Tensor();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_ComputeLosses)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_Losses(benchmark::State& state) {
  const Batch batch = MakeBatch();
  const auto matcher = HungarianMatcher::Create(HungarianMatcherConfig());
  const auto criterion = SetCriterion::Create(CriterionConfig());
  CHECK(matcher.ok() && criterion.ok());
  GeneratorPointSource points(at::detail::createCPUGenerator(/*seed=*/1));
  const auto assignments =
      (*matcher)->Match(batch.prediction, batch.targets, points);
  CHECK(assignments.ok());
  const LossNormalizer normalizer =
      NormalizeByBatch(TargetCounts(batch.targets), kQueries, 0.1);
  const bool backward = state.range(0) != 0;
  for (auto _ : state) {
    const LayerLosses losses = criterion->Compute(
        batch.prediction, batch.targets, *assignments, normalizer, points);
    if (!backward) continue;
    criterion->Total(losses).backward();
    batch.prediction.class_logits.mutable_grad() = at::Tensor();
    batch.prediction.mask_logits.mutable_grad() = at::Tensor();
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Losses)
    ->ArgName("backward")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_SampleUncertainPoints(benchmark::State& state) {
  const at::Tensor logits = MakeBatch().prediction.mask_logits.flatten(0, 1);
  const at::Tensor rows = at::arange(kImages * kTargets);
  GeneratorPointSource points(at::detail::createCPUGenerator(/*seed=*/1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(SampleUncertainPoints(logits, rows, {}, points));
  }
  state.SetItemsProcessed(state.iterations() * rows.size(0));
}
BENCHMARK(BM_SampleUncertainPoints)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_DrawPoints(benchmark::State& state) {
  GeneratorPointSource points(at::detail::createCPUGenerator(/*seed=*/1));
  for (auto _ : state) {
    benchmark::DoNotOptimize(points.Draw(kImages * kTargets, 37632));
  }
  state.SetItemsProcessed(state.iterations() * kImages * kTargets);
}
BENCHMARK(BM_DrawPoints)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
