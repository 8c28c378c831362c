// Stands for a training step on Cityscapes crops of 512 x 1024, 2 images: one
// prediction of 100 queries with masks of 128 x 256, 10 targets per image.
// Losses runs in turns with the published way, composed of LibTorch's
// operators; both must give the same for the same points.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include <tuple>
#include <vector>

#include "mask2former/common/logging.h"
#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/common/testing/compare_benchmark.h"
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
  const int64_t height = BenchmarkSize(512, 64);
  const int64_t width = 2 * height;
  Batch batch;
  batch.prediction = {
      (2 * uniform({kImages, kQueries, 20}) - 1).requires_grad_(),
      (20 * uniform({kImages, kQueries, height / 4, width / 4}) - 10)
          .requires_grad_()};
  for (int64_t b = 0; b < kImages; ++b) {
    batch.targets.push_back({(19 * uniform({kTargets})).to(at::kLong),
                             uniform({kTargets, height, width}) < 0.3});
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

// [n, h, w] or [n, H, W] at points [n, T, 2]; [n, T].
at::Tensor GridSample(const at::Tensor& maps, const at::Tensor& points) {
  return at::grid_sampler(maps.unsqueeze(1).to(at::kFloat),
                          2 * points.unsqueeze(2) - 1,
                          /*interpolation_mode=*/0, /*padding_mode=*/0,
                          /*align_corners=*/false)
      .flatten(1);
}

// What SetCriterion does for Batch, as the official code has it: the masks of
// all pairs in one tensor, points by topk, losses by the formulas.
LayerLosses PublishedLosses(const Batch& batch,
                            const std::vector<Assignment>& assignments,
                            const LossNormalizer& normalizer,
                            PointSource& points) {
  constexpr int64_t kPoints = 12544;
  at::Tensor classes = at::full({kImages, kQueries}, 19, at::kLong);
  std::vector<at::Tensor> predicted, wanted;
  for (int64_t b = 0; b < kImages; ++b) {
    const at::Tensor queries = at::tensor(assignments[b].queries, at::kLong);
    const at::Tensor targets = at::tensor(assignments[b].targets, at::kLong);
    classes[b].index_put_({queries}, batch.targets[b].labels.index({targets}));
    predicted.push_back(batch.prediction.mask_logits[b].index({queries}));
    wanted.push_back(batch.targets[b].masks.to(at::kFloat).index({targets}));
  }
  at::Tensor class_weights = at::ones({20});
  class_weights[-1] = 0.1;
  const at::Tensor ce = at::cross_entropy_loss(
      batch.prediction.class_logits.transpose(1, 2), classes, class_weights);
  const at::Tensor maps = at::cat(predicted);
  at::Tensor locations, labels;
  {
    const at::NoGradGuard no_grad;
    const at::Tensor drawn = points.Draw(maps.size(0), 3 * kPoints);
    const at::Tensor uncertainty = -GridSample(maps, drawn).abs();
    const at::Tensor most =
        std::get<1>(at::topk(uncertainty, kPoints * 3 / 4, /*dim=*/1));
    locations = at::cat({drawn.gather(1, most.unsqueeze(2).expand({-1, -1, 2})),
                         points.Draw(maps.size(0), kPoints - kPoints * 3 / 4)},
                        1);
    labels = GridSample(at::cat(wanted), locations);
  }
  const at::Tensor logits = GridSample(maps, locations);
  const at::Tensor mask = at::binary_cross_entropy_with_logits(
      logits, labels, {}, {}, at::Reduction::None);
  const at::Tensor s = logits.sigmoid();
  const at::Tensor dice =
      1 - (2 * (s * labels).sum(1) + 1) / (s.sum(1) + labels.sum(1) + 1);
  return {ce, mask.mean(1).sum() / normalizer.num_masks,
          dice.sum() / normalizer.num_masks};
}

void Losses(benchmark::State& state, bool backward) {
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
  const auto ours = [&](PointSource& source) {
    return criterion->Compute(batch.prediction, batch.targets, *assignments,
                              normalizer, source);
  };
  const auto theirs = [&](PointSource& source) {
    return PublishedLosses(batch, *assignments, normalizer, source);
  };
  const auto at_equal_points = [](const auto& losses) {
    GeneratorPointSource same(at::detail::createCPUGenerator(/*seed=*/2));
    const LayerLosses l = losses(same);
    return at::stack({l.ce, l.mask, l.dice}).detach();
  };
  const at::Tensor our_losses = at_equal_points(ours);
  const at::Tensor their_losses = at_equal_points(theirs);
  CHECK(at::allclose(our_losses, their_losses, 1e-4, 0))
      << our_losses << " and " << their_losses;
  const auto run = [&](const auto& losses) {
    const LayerLosses l = losses(points);
    if (!backward) return;
    criterion->Total(l).backward();
    batch.prediction.class_logits.mutable_grad() = at::Tensor();
    batch.prediction.mask_logits.mutable_grad() = at::Tensor();
  };
  CompareRuns(
      state, 1, [&] { run(ours); }, [&] { run(theirs); });
}
BENCHMARK_CAPTURE(Losses, forward, false)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Losses, forward_backward, true)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

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
