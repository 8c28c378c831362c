// Point sampling as training does it, on a Cityscapes crop of 512 x 1024 with
// 12544 points: masks of 30 segments for the matcher, mask logits of 100
// queries at a quarter of the size, and the rows of matched queries with their
// gradient. The rows that compare time both sides alternately and report how
// many times faster ours is than LibTorch's grid_sampler, by the medians and by
// the minima.

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <benchmark/benchmark.h>
#include <torch/autograd.h>

#include <chrono>
#include <cstdint>
#include <functional>

#include "mask2former/common/point_sample.h"
#include "mask2former/common/testing/compare_benchmark.h"

namespace mask2former {
namespace {

constexpr int64_t kPoints = 12544;
constexpr int64_t kQueries = 100;
constexpr int64_t kSegments = 30;

at::Tensor GridSample(const at::Tensor& maps, const at::Tensor& points) {
  return at::grid_sampler(maps.to(at::kFloat), 2 * points.unsqueeze(1) - 1,
                          /*interpolation_mode=*/0, /*padding_mode=*/0,
                          /*align_corners=*/false)
      .squeeze(2);
}

double Seconds(const std::function<at::Tensor()>& run) {
  const auto begin = std::chrono::steady_clock::now();
  benchmark::DoNotOptimize(run().data_ptr());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

void Compare(benchmark::State& state, int64_t maps,
             const std::function<at::Tensor()>& ours,
             const std::function<at::Tensor()>& theirs) {
  CompareBenchmark(
      state, maps * kPoints, [&] { return Seconds(ours); },
      [&] { return Seconds(theirs); });
}

void Masks(benchmark::State& state) {
  const at::Tensor masks = at::rand({1, kSegments, 512, 1024}) > 0.5;
  const at::Tensor points = at::rand({1, kPoints, 2});
  Compare(
      state, kSegments, [&] { return PointSample(masks, points); },
      [&] { return GridSample(masks, points); });
}

void Logits(benchmark::State& state) {
  const at::NoGradGuard no_grad;
  const at::Tensor logits = at::randn({1, kQueries, 128, 256});
  const at::Tensor points = at::rand({1, kPoints, 2});
  Compare(
      state, kQueries, [&] { return PointSample(logits, points); },
      [&] { return GridSample(logits, points); });
}

void RowsForwardBackward(benchmark::State& state) {
  const at::Tensor logits = at::randn({kQueries, 128, 256}).requires_grad_();
  const at::Tensor rows = at::randperm(kQueries).narrow(0, 0, kSegments);
  const at::Tensor points = at::rand({kSegments, kPoints, 2});
  const at::Tensor gradient = at::randn({kSegments, kPoints});
  const auto backward = [&](const at::Tensor& values) {
    return torch::autograd::grad({values}, {logits}, {gradient})[0];
  };
  Compare(
      state, kSegments,
      [&] { return backward(PointSampleRows(logits, rows, points)); },
      [&] {
        const at::Tensor maps = logits.index_select(0, rows).unsqueeze(1);
        return backward(GridSample(maps, points).squeeze(1));
      });
}

BENCHMARK(Masks)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(Logits)->UseManualTime()->Unit(benchmark::kMillisecond);
BENCHMARK(RowsForwardBackward)->UseManualTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former

BENCHMARK_MAIN();
