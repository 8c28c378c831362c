// One encoder layer's deformable attention on a Cityscapes crop of 512 x 1024:
// levels of strides 32, 16 and 8, so S = Q = 10752; B = 1, M = 8, D = 32, P
// = 4. Reads as a trained model does: around the query's own place, up to a few
// pixels away. The rows that compare time both sides alternately, after a look
// whether they give the same, and report how many times faster the op is, by
// the medians and by the minima: the op against a composition of LibTorch's
// operators around grid_sample, our own words for what Hugging Face's does; the
// fused op against making locations and weights first, and then the same
// (published) or our plain op (plain).
//
// The rows named Gpu need one: on a whole image of 1024 x 2048, Q = 43008. A
// time of RunGpu is the mean of several runs that wait in the GPU's queue, as
// in a model; CompareGpu waits for each.
//
// With M2F_BENCHMARK_TENSORS=FILE it times nothing but writes what Run works
// on and what the op and the fused op make of it, for
// tools/peers/ms_deform_attn.py; with M2F_BENCHMARK_GPU=fp32, fp16 or bf16 what
// RunGpu does.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <benchmark/benchmark.h>
#include <torch/autograd.h>
#include <torch/cuda.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/benchmark_device.h"
#include "mask2former/common/testing/benchmark_size.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_fused.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_reference.h"

namespace mask2former::ops {
namespace {

constexpr int64_t kHeads = 8;
constexpr int64_t kHeadDim = 32;
constexpr int64_t kPoints = 4;

// Heights and widths of the levels of an image with an aspect ratio of 1 : 2.
std::vector<int64_t> Shapes(int64_t image_height) {
  std::vector<int64_t> shapes;
  for (const int64_t stride : {32, 16, 8}) {
    shapes.push_back(image_height / stride);
    shapes.push_back(2 * image_height / stride);
  }
  return shapes;
}

const std::vector<int64_t> kCropShapes = Shapes(BenchmarkSize(512, 64));
const std::vector<int64_t> kImageShapes = Shapes(BenchmarkSize(1024, 64));

struct Arguments {
  std::vector<int64_t> level_shapes;
  at::Tensor value, locations, weights, grad_output;
  at::Tensor reference_points, offsets, logits, sizes;
};

// Values, offsets, logits and the output's gradient are of `type`, locations
// and weights float.
Arguments MakeArguments(at::IntArrayRef level_shapes, at::Device device,
                        at::ScalarType type = at::kFloat) {
  Arguments a;
  a.level_shapes = level_shapes.vec();
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
  a.offsets =
      2 * at::randn({1, queries, kHeads, levels, kPoints, 2}, generator);
  a.sizes = at::stack(sizes)
                .view({1, 1, 1, levels, 1, 2})
                .expand({1, 1, 1, levels, kPoints, 2})
                .to(at::kFloat)
                .contiguous();
  a.reference_points =
      places.view({1, queries, 1, 2}).expand({1, queries, levels, 2});
  a.locations = places + a.offsets / a.sizes;
  a.logits = at::rand({1, queries, kHeads, levels, kPoints}, generator);
  a.weights = a.logits.flatten(3).softmax(-1).view_as(a.logits);
  a.value = at::randn({1, queries, kHeads, kHeadDim}, generator);
  a.grad_output = at::randn({1, queries, kHeads * kHeadDim}, generator);
  for (at::Tensor* t : {&a.value, &a.grad_output, &a.offsets, &a.logits}) {
    *t = t->to(type);
  }
  for (at::Tensor* t : {&a.sizes, &a.reference_points, &a.grad_output}) {
    *t = t->to(device);
  }
  for (at::Tensor* t :
       {&a.value, &a.locations, &a.weights, &a.offsets, &a.logits}) {
    *t = t->contiguous().to(device).requires_grad_();
  }
  return a;
}

struct Op {
  at::Tensor (*run)(const Arguments&);
  bool takes_logits;
};

at::Tensor RunOp(const Arguments& a) {
  return MsDeformAttn(a.value, a.level_shapes, a.locations, a.weights);
}

at::Tensor RunReference(const Arguments& a) {
  return MsDeformAttnReference(a.value, a.level_shapes, a.locations, a.weights);
}

at::Tensor RunFused(const Arguments& a) {
  return MsDeformAttnFused(a.value, a.level_shapes, a.reference_points,
                           a.offsets, a.logits);
}

// [B, Q, M, L, P, 2] from reference points and offsets in pixels.
at::Tensor Locations(const Arguments& a) {
  return a.reference_points.unsqueeze(2).unsqueeze(4) + a.offsets / a.sizes;
}

at::Tensor Weights(const Arguments& a) {
  return a.logits.flatten(3).softmax(-1).view_as(a.logits);
}

at::Tensor RunPublished(const Arguments& a) {
  return MsDeformAttnReference(a.value, a.level_shapes, Locations(a),
                               Weights(a));
}

at::Tensor RunPlain(const Arguments& a) {
  return MsDeformAttn(a.value, a.level_shapes, Locations(a), Weights(a));
}

constexpr Op kOp = {RunOp, false};
constexpr Op kReference = {RunReference, false};
constexpr Op kFused = {RunFused, true};
constexpr Op kPublished = {RunPublished, true};
constexpr Op kPlain = {RunPlain, true};

using Clock = std::chrono::steady_clock;

// Now, when the GPU, if it is at work, has done all it was asked.
Clock::time_point Finish(const Arguments& a) {
  if (a.value.is_cuda()) torch::cuda::synchronize();
  return Clock::now();
}

double Seconds(Clock::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double TimeForward(const Arguments& a, Op op) {
  at::NoGradGuard no_grad;
  const auto begin = Clock::now();
  benchmark::DoNotOptimize(op.run(a));
  return Seconds(Finish(a) - begin);
}

// `again`: `output` can be used for that once more.
std::vector<at::Tensor> Gradients(const Arguments& a, Op op,
                                  const at::Tensor& output,
                                  bool again = false) {
  return torch::autograd::grad(
      {output},
      op.takes_logits
          ? torch::autograd::variable_list{a.value, a.offsets, a.logits}
          : torch::autograd::variable_list{a.value, a.locations, a.weights},
      {a.grad_output}, /*retain_graph=*/again);
}

double TimeBackward(const Arguments& a, Op op) {
  const at::Tensor output = op.run(a);
  const auto begin = Finish(a);
  benchmark::DoNotOptimize(Gradients(a, op, output));
  return Seconds(Finish(a) - begin);
}

double TimeForwardBackward(const Arguments& a, Op op) {
  const auto begin = Clock::now();
  TimeBackward(a, op);
  return Seconds(Clock::now() - begin);
}

// Output and gradients. The gradient of a location jumps where a pixel ends, so
// that rounding may change a few; it is as many times larger as a level is, and
// so are its errors.
void CheckSame(const Arguments& a, Op ours, Op theirs) {
  const auto results = [&](Op op) {
    std::vector<at::Tensor> tensors = {op.run(a)};
    for (const at::Tensor& gradient : Gradients(a, op, tensors[0])) {
      tensors.push_back(gradient);
    }
    return tensors;
  };
  const std::vector<at::Tensor> mine = results(ours), its = results(theirs);
  for (size_t i = 0; i < mine.size(); ++i) {
    const double size = i == 2 && !ours.takes_logits
                            ? at::max(at::tensor(a.level_shapes)).item<double>()
                            : 1;
    const double different = at::isclose(mine[i], its[i], 1e-3, 1e-4 * size)
                                 .logical_not_()
                                 .to(at::kFloat)
                                 .mean()
                                 .item<double>();
    CHECK(different <= 1e-4) << different << " of tensor " << i;
  }
}

using Timer = double (*)(const Arguments&, Op);

void Run(benchmark::State& state, Timer timer, Op op) {
  const Arguments a = MakeArguments(kCropShapes, at::kCPU);
  for (auto _ : state) state.SetIterationTime(timer(a, op));
  state.SetItemsProcessed(state.iterations() * a.value.size(1));
}

void CompareWith(benchmark::State& state, const Arguments& a, Timer timer,
                 Op ours, Op theirs) {
  CheckSame(a, ours, theirs);
  CompareBenchmark(
      state, a.value.size(1), [&] { return timer(a, ours); },
      [&] { return timer(a, theirs); });
}

void Compare(benchmark::State& state, Timer timer, Op ours, Op theirs) {
  CompareWith(state, MakeArguments(kCropShapes, at::kCPU), timer, ours, theirs);
}

void CompareGpu(benchmark::State& state, Timer timer, Op ours, Op theirs) {
  if (!HasDevice(state, at::kCUDA)) return;
  CompareWith(state, MakeArguments(kImageShapes, at::kCUDA), timer, ours,
              theirs);
}

enum class Pass { kForward, kBackward, kBoth };

void RunGpu(benchmark::State& state, at::ScalarType type, Pass pass, Op op) {
  if (!HasDevice(state, at::kCUDA)) return;
  const Arguments a = MakeArguments(kImageShapes, at::kCUDA, type);
  const at::Tensor output = op.run(a);
  const auto run = [&] {
    const at::AutoGradMode record(pass != Pass::kForward);
    const at::Tensor result = pass == Pass::kBackward ? output : op.run(a);
    if (pass == Pass::kForward) return;
    Gradients(a, op, result, /*again=*/pass == Pass::kBackward);
  };
  constexpr int kQueue = 10;  // As in tools/peers/ms_deform_attn.py.
  const auto run_queue = [&] {
    const auto begin = Finish(a);
    for (int i = 0; i < kQueue; ++i) run();
    return Seconds(Finish(a) - begin) / kQueue;
  };
  run_queue();  // Fills the allocator's pool.
  for (auto _ : state) state.SetIterationTime(run_queue());
  state.SetItemsProcessed(state.iterations() * a.value.size(1));
}

#define M2F_BENCHMARK(function, name, ...)       \
  BENCHMARK_CAPTURE(function, name, __VA_ARGS__) \
      ->UseManualTime()                          \
      ->Unit(benchmark::kMillisecond);
M2F_BENCHMARK(Run, forward, TimeForward, kOp)
M2F_BENCHMARK(Run, forward_reference, TimeForward, kReference)
M2F_BENCHMARK(Run, fused_forward, TimeForward, kFused)
M2F_BENCHMARK(Run, backward, TimeBackward, kOp)
M2F_BENCHMARK(Run, forward_backward, TimeForwardBackward, kOp)
M2F_BENCHMARK(Run, backward_reference, TimeBackward, kReference)
M2F_BENCHMARK(Run, fused_backward, TimeBackward, kFused)
M2F_BENCHMARK(Compare, forward, TimeForward, kOp, kReference)
M2F_BENCHMARK(Compare, backward, TimeBackward, kOp, kReference)
M2F_BENCHMARK(Compare, forward_backward, TimeForwardBackward, kOp, kReference)
M2F_BENCHMARK(Compare, fused_forward_published, TimeForward, kFused, kPublished)
M2F_BENCHMARK(Compare, fused_backward_published, TimeBackward, kFused,
              kPublished)
M2F_BENCHMARK(Compare, fused_forward_plain, TimeForward, kFused, kPlain)
M2F_BENCHMARK(Compare, fused_backward_plain, TimeBackward, kFused, kPlain)

M2F_BENCHMARK(CompareGpu, forward, TimeForward, kOp, kReference)
M2F_BENCHMARK(CompareGpu, backward, TimeBackward, kOp, kReference)
M2F_BENCHMARK(CompareGpu, forward_backward, TimeForwardBackward, kOp,
              kReference)
M2F_BENCHMARK(CompareGpu, fused_forward_published, TimeForward, kFused,
              kPublished)
M2F_BENCHMARK(CompareGpu, fused_backward_published, TimeBackward, kFused,
              kPublished)
M2F_BENCHMARK(CompareGpu, fused_forward_plain, TimeForward, kFused, kPlain)
M2F_BENCHMARK(CompareGpu, fused_backward_plain, TimeBackward, kFused, kPlain)

#define M2F_GPU_BENCHMARKS(name, type)                                      \
  M2F_BENCHMARK(RunGpu, name##_forward, type, Pass::kForward, kOp)          \
  M2F_BENCHMARK(RunGpu, name##_backward, type, Pass::kBackward, kOp)        \
  M2F_BENCHMARK(RunGpu, name##_forward_backward, type, Pass::kBoth, kOp)    \
  M2F_BENCHMARK(RunGpu, name##_fused_forward, type, Pass::kForward, kFused) \
  M2F_BENCHMARK(RunGpu, name##_fused_backward, type, Pass::kBackward, kFused)
M2F_GPU_BENCHMARKS(fp32, at::kFloat)
M2F_GPU_BENCHMARKS(fp16, at::kHalf)
M2F_GPU_BENCHMARKS(bf16, at::kBFloat16)

absl::Status WriteTensors(const std::string& path, const Arguments& a) {
  std::map<std::string, at::Tensor> tensors = {
      {"level_shapes", at::tensor(a.level_shapes)},
      {"value", a.value},
      {"locations", a.locations},
      {"weights", a.weights},
      {"reference_points", a.reference_points},
      {"offsets", a.offsets},
      {"logits", a.logits},
      {"grad_output", a.grad_output}};
  for (const Op op : {kOp, kFused}) {
    const std::string form = op.takes_logits ? "fused_" : "";
    const at::Tensor output = op.run(a);
    const std::vector<at::Tensor> gradients = Gradients(a, op, output);
    tensors[form + "output"] = output;
    tensors[form + "grad_value"] = gradients[0];
    tensors[form + (op.takes_logits ? "grad_offsets" : "grad_locations")] =
        gradients[1];
    tensors[form + (op.takes_logits ? "grad_logits" : "grad_weights")] =
        gradients[2];
  }
  return WriteSafetensors(path, tensors);
}

absl::Status WriteTensors(const std::string& path) {
  const char* const precision = std::getenv("M2F_BENCHMARK_GPU");
  if (precision == nullptr) {
    return WriteTensors(path, MakeArguments(kCropShapes, at::kCPU));
  }
  const std::map<std::string, at::ScalarType> types = {
      {"fp32", at::kFloat}, {"fp16", at::kHalf}, {"bf16", at::kBFloat16}};
  const auto type = types.find(precision);
  if (type == types.end()) {
    return absl::InvalidArgumentError(
        "M2F_BENCHMARK_GPU must be fp32, fp16 or bf16");
  }
  if (!torch::cuda::is_available()) {
    return absl::FailedPreconditionError(
        "there is no GPU that this build can use; it needs --config=cuda, and "
        "//tools/doctor says what else");
  }
  return WriteTensors(path,
                      MakeArguments(kImageShapes, at::kCUDA, type->second));
}

}  // namespace
}  // namespace mask2former::ops

int main(int argc, char** argv) {
  if (const char* path = std::getenv("M2F_BENCHMARK_TENSORS")) {
    const absl::Status status = mask2former::ops::WriteTensors(path);
    if (!status.ok()) std::cerr << status.message() << std::endl;
    return status.ok() ? 0 : 1;
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
