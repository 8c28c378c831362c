// Stands for one image of a Cityscapes crop of 512 x 1024: Q = 100 queries with
// masks of 128 x 256, N = 20 targets, T = 12544 points. Rows that compare time
// ours in turns with the same made of LibTorch's operators, as published.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "mask2former/common/logging.h"
#include "mask2former/common/point_sample.h"
#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/matcher/hungarian_matcher.h"
#include "mask2former/matcher/linear_assignment.h"
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
  const int64_t height = BenchmarkSize(512, 64);
  const int64_t width = 2 * height;
  return {{2 * uniform({1, kQueries, 20}) - 1,
           20 * uniform({1, kQueries, height / 4, width / 4}) - 10},
          {{(19 * uniform({kTargets})).to(at::kLong),
            uniform({kTargets, height, width}) < 0.3}}};
}

at::Tensor GridSample(const at::Tensor& maps, const at::Tensor& points) {
  return at::grid_sampler(maps.to(at::kFloat), 2 * points.unsqueeze(1) - 1,
                          /*interpolation_mode=*/0, /*padding_mode=*/0,
                          /*align_corners=*/false);
}

// Cross entropies and dice of masks at points: two tensors of cross entropies,
// three products.
MaskCosts PublishedMaskCosts(const at::Tensor& x, const at::Tensor& t) {
  const at::Tensor positive = at::binary_cross_entropy_with_logits(
      x, at::ones_like(x), {}, {}, at::Reduction::None);
  const at::Tensor negative = at::binary_cross_entropy_with_logits(
      x, at::zeros_like(x), {}, {}, at::Reduction::None);
  const at::Tensor s = x.sigmoid();
  return {(at::einsum("nc,mc->nm", {positive, t}) +
           at::einsum("nc,mc->nm", {negative, 1 - t})) /
              x.size(1),
          1 - (2 * at::einsum("nc,mc->nm", {s, t}) + 1) /
                  (s.sum(1).unsqueeze(1) + t.sum(1).unsqueeze(0) + 1)};
}

// What HungarianMatcher does, with the paper's weights.
Assignment PublishedMatch(const Image& image, PointSource& source) {
  const at::NoGradGuard no_grad;
  const at::Tensor points = source.Draw(1, kPoints);
  const at::Tensor class_cost =
      -image.prediction.class_logits[0].softmax(-1).index_select(
          1, image.targets[0].labels);
  const MaskCosts costs = PublishedMaskCosts(
      GridSample(image.prediction.mask_logits, points).flatten(2).squeeze(0),
      GridSample(image.targets[0].masks.unsqueeze(0), points)
          .flatten(2)
          .squeeze(0));
  const at::Tensor total =
      (5 * costs.mask + 2 * class_cost + 5 * costs.dice).to(at::kDouble);
  auto pairs = SolveLinearAssignment(
      {total.const_data_ptr<double>(), static_cast<size_t>(total.numel())},
      kQueries, kTargets);
  CHECK(pairs.ok());
  return {pairs->rows, pairs->columns};
}

void Match(benchmark::State& state) {
  const Image image = MakeImage();
  const auto matcher = HungarianMatcher::Create(HungarianMatcherConfig());
  CHECK(matcher.ok());
  {
    GeneratorPointSource same(at::detail::createCPUGenerator(/*seed=*/2));
    const auto ours = (*matcher)->Match(image.prediction, image.targets, same);
    GeneratorPointSource again(at::detail::createCPUGenerator(/*seed=*/2));
    const Assignment theirs = PublishedMatch(image, again);
    CHECK(ours.ok() && ours->at(0).queries == theirs.queries &&
          ours->at(0).targets == theirs.targets);
  }
  GeneratorPointSource points(at::detail::createCPUGenerator(/*seed=*/1));
  CompareRuns(
      state, 1,
      [&] {
        benchmark::DoNotOptimize(
            (*matcher)->Match(image.prediction, image.targets, points));
      },
      [&] { benchmark::DoNotOptimize(PublishedMatch(image, points)); });
}
BENCHMARK(Match)->UseManualTime()->Unit(benchmark::kMillisecond);

// The masks of queries or of targets at the points.
void Sample(benchmark::State& state, bool targets) {
  const Image image = MakeImage();
  const at::Tensor maps = targets ? image.targets[0].masks.unsqueeze(0)
                                  : image.prediction.mask_logits;
  const at::Tensor points = at::rand({1, kPoints, 2});
  CompareRuns(
      state, maps.size(1) * kPoints,
      [&] { benchmark::DoNotOptimize(PointSample(maps, points)); },
      [&] { benchmark::DoNotOptimize(GridSample(maps, points)); });
}
BENCHMARK_CAPTURE(Sample, queries, false)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Sample, targets, true)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

void CostsOfMasks(benchmark::State& state) {
  const at::Tensor logits = 20 * at::rand({kQueries, kPoints}) - 10;
  const at::Tensor labels = at::rand({kTargets, kPoints});
  CompareRuns(
      state, kQueries * kPoints,
      [&] { benchmark::DoNotOptimize(ComputeMaskCosts(logits, labels)); },
      [&] { benchmark::DoNotOptimize(PublishedMaskCosts(logits, labels)); });
}
BENCHMARK(CostsOfMasks)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
