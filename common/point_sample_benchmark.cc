// Point sampling as training does it, on a Cityscapes crop of 512 x 1024 with
// 12544 points: masks of 30 segments for the matcher, mask logits of 100
// queries at a quarter of the size, and the rows of matched queries with their
// gradient. The rows look whether both sides give the same, then time them
// alternately and report how many times faster ours is than LibTorch's
// grid_sampler, by the medians and by the minima.
//
// The rows named Gpu need one.

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/randperm.h>
#include <benchmark/benchmark.h>
#include <torch/autograd.h>
#include <torch/cuda.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "mask2former/common/logging.h"
#include "mask2former/common/point_sample.h"
#include "mask2former/common/testing/benchmark_device.h"
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

void Compare(benchmark::State& state, int64_t maps,
             const std::function<at::Tensor()>& ours,
             const std::function<at::Tensor()>& theirs) {
  CHECK(at::allclose(ours(), theirs(), /*rtol=*/1e-3, /*atol=*/1e-4));
  const auto finish = [](const at::Tensor& result) {
    if (result.is_cuda()) torch::cuda::synchronize();
    benchmark::DoNotOptimize(result.data_ptr());
  };
  CompareRuns(
      state, maps * kPoints, [&] { finish(ours()); },
      [&] { finish(theirs()); });
}

void Masks(benchmark::State& state, at::DeviceType device) {
  if (!HasDevice(state, device)) return;
  const at::Tensor masks =
      at::rand({1, kSegments, 512, 1024}, at::device(device)) > 0.5;
  const at::Tensor points = at::rand({1, kPoints, 2}, at::device(device));
  Compare(
      state, kSegments, [&] { return PointSample(masks, points); },
      [&] { return GridSample(masks, points); });
}

void Logits(benchmark::State& state, at::DeviceType device) {
  if (!HasDevice(state, device)) return;
  const at::NoGradGuard no_grad;
  const at::Tensor logits =
      at::randn({1, kQueries, 128, 256}, at::device(device));
  const at::Tensor points = at::rand({1, kPoints, 2}, at::device(device));
  Compare(
      state, kQueries, [&] { return PointSample(logits, points); },
      [&] { return GridSample(logits, points); });
}

void RowsForwardBackward(benchmark::State& state, at::DeviceType device) {
  if (!HasDevice(state, device)) return;
  const at::Tensor logits =
      at::randn({kQueries, 128, 256}, at::device(device)).requires_grad_();
  const at::Tensor rows = at::randperm(kQueries).narrow(0, 0, kSegments);
  const at::Tensor rows_there = rows.to(device);
  const at::Tensor points =
      at::rand({kSegments, kPoints, 2}, at::device(device));
  const at::Tensor gradient =
      at::randn({kSegments, kPoints}, at::device(device));
  const auto backward = [&](const at::Tensor& values) {
    return torch::autograd::grad({values}, {logits}, {gradient})[0];
  };
  Compare(
      state, kSegments,
      [&] { return backward(PointSampleRows(logits, rows, points)); },
      [&] {
        const at::Tensor maps = logits.index_select(0, rows_there).unsqueeze(1);
        return backward(GridSample(maps, points).squeeze(1));
      });
}

void Register(const std::string& suffix, at::DeviceType device) {
  for (const auto& [name, function] :
       {std::pair{"Masks", Masks}, std::pair{"Logits", Logits},
        std::pair{"RowsForwardBackward", RowsForwardBackward}}) {
    benchmark::RegisterBenchmark((name + suffix).c_str(), function, device)
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  mask2former::Register("", at::kCPU);
  mask2former::Register("Gpu", at::kCUDA);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
