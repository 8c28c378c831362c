// One encoder layer's deformable attention on a Cityscapes crop of 512 x 1024:
// levels of strides 32, 16 and 8, so S = Q = 10752; B = 1, M = 8, D = 32, P
// = 4. Reads as a trained model does: around the query's own place, up to a few
// pixels away. The last two rows time both sides alternately and report how
// many times faster the op is, by the medians and by the minima.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <benchmark/benchmark.h>
#include <torch/autograd.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "mask2former/pixel_decoder/ops/ms_deform_attn.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_reference.h"

namespace mask2former::ops {
namespace {

constexpr int64_t kHeads = 8;
constexpr int64_t kHeadDim = 32;
constexpr int64_t kPoints = 4;

struct Arguments {
  std::vector<int64_t> level_shapes = {16, 32, 32, 64, 64, 128};
  at::Tensor value, locations, weights, grad_output;
};

Arguments MakeArguments() {
  Arguments a;
  at::Generator generator = at::detail::createCPUGenerator(1);
  std::vector<at::Tensor> own_places, sizes;
  for (size_t l = 0; l < a.level_shapes.size(); l += 2) {
    const int64_t height = a.level_shapes[l];
    const int64_t width = a.level_shapes[l + 1];
    const at::Tensor y = (at::arange(height) + 0.5) / height;
    const at::Tensor x = (at::arange(width) + 0.5) / width;
    own_places.push_back(at::stack({x.expand({height, width}),
                                    y.unsqueeze(1).expand({height, width})},
                                   -1)
                             .view({-1, 2}));
    sizes.push_back(at::tensor({width, height}));
  }
  const at::Tensor places = at::cat(own_places).view({1, -1, 1, 1, 1, 2});
  const int64_t queries = places.size(1);
  const int64_t levels = static_cast<int64_t>(sizes.size());
  const at::Tensor offsets =
      2 * at::randn({1, queries, kHeads, levels, kPoints, 2}, generator);
  a.locations =
      places + offsets / at::stack(sizes).view({1, 1, 1, levels, 1, 2});
  a.weights = at::rand({1, queries, kHeads, levels * kPoints}, generator)
                  .softmax(-1)
                  .view({1, queries, kHeads, levels, kPoints});
  a.value = at::randn({1, queries, kHeads, kHeadDim}, generator);
  a.grad_output = at::randn({1, queries, kHeads * kHeadDim}, generator);
  for (at::Tensor* t : {&a.value, &a.locations, &a.weights}) {
    *t = t->contiguous().requires_grad_();
  }
  return a;
}

using Op = at::Tensor (*)(const at::Tensor&, at::IntArrayRef, const at::Tensor&,
                          const at::Tensor&);

double Seconds(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

double TimeForward(const Arguments& a, Op op) {
  at::NoGradGuard no_grad;
  const auto begin = std::chrono::steady_clock::now();
  benchmark::DoNotOptimize(op(a.value, a.level_shapes, a.locations, a.weights));
  return Seconds(begin);
}

double TimeBackward(const Arguments& a, Op op) {
  const at::Tensor output = op(a.value, a.level_shapes, a.locations, a.weights);
  const auto begin = std::chrono::steady_clock::now();
  benchmark::DoNotOptimize(torch::autograd::grad(
      {output}, {a.value, a.locations, a.weights}, {a.grad_output}));
  return Seconds(begin);
}

using Timer = double (*)(const Arguments&, Op);

void Run(benchmark::State& state, Timer timer, Op op) {
  const Arguments a = MakeArguments();
  for (auto _ : state) state.SetIterationTime(timer(a, op));
  state.SetItemsProcessed(state.iterations() * a.value.size(1));
}

double Median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2,
                   values.end());
  return values[values.size() / 2];
}

void Compare(benchmark::State& state, Timer timer) {
  const Arguments a = MakeArguments();
  timer(a, MsDeformAttn);
  std::vector<double> op, reference;
  for (auto _ : state) {
    reference.push_back(timer(a, MsDeformAttnReference));
    op.push_back(timer(a, MsDeformAttn));
    state.SetIterationTime(op.back());
  }
  state.counters["times_faster"] = Median(reference) / Median(op);
  state.counters["times_faster_by_minimum"] =
      *std::min_element(reference.begin(), reference.end()) /
      *std::min_element(op.begin(), op.end());
}

BENCHMARK_CAPTURE(Run, forward, TimeForward, MsDeformAttn)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Run, forward_reference, TimeForward, MsDeformAttnReference)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Run, backward, TimeBackward, MsDeformAttn)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Run, backward_reference, TimeBackward, MsDeformAttnReference)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Compare, forward, TimeForward)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(Compare, backward, TimeBackward)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace mask2former::ops

BENCHMARK_MAIN();
