// One encoder layer's deformable attention on a Cityscapes image of 1024 x 2048
// on a GPU: levels of strides 32, 16 and 8, so S = Q = 43008; B = 1, M = 8, D =
// 32, P = 4. Reads as a trained model does: around the query's own place, up to
// a few pixels away. Every row runs our kernel and what it is compared with in
// turns and reports times_faster, by the medians.
//
//   forward         float, locations and weights given, against the kernel with
//                   one thread per channel
//   fused_forward   bfloat16, offsets and logits given, against float
//                   locations, softmax and that kernel, one after another
//   backward        float, locations and weights given, against the kernel with
//                   one block per query and head
//   fused_backward  bfloat16, offsets and logits given, against float
//                   locations, softmax and that kernel; the way back through
//                   the softmax, which ours goes, is left out of theirs
//   deterministic   as backward, with a fixed order of additions

#include <benchmark/benchmark.h>
#include <cuda_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

#include "mask2former/common/cuda/half.h"
#include "mask2former/common/testing/compare_benchmark.h"
#include "mask2former/pixel_decoder/ops/benchmark/per_channel_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"

namespace mask2former::ops {
namespace {

void Check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s\n", cudaGetErrorString(error));
  std::exit(1);
}

// GPU memory, never given back: the program ends with the benchmark.
template <typename T>
T* Upload(const std::vector<T>& values) {
  T* result = nullptr;
  Check(
      cudaMalloc(reinterpret_cast<void**>(&result), values.size() * sizeof(T)));
  Check(cudaMemcpy(result, values.data(), values.size() * sizeof(T),
                   cudaMemcpyHostToDevice));
  return result;
}

std::vector<BFloat16> ToBFloat16(const std::vector<float>& values) {
  std::vector<BFloat16> result;
  for (const float x : values) result.push_back(FromFloat<BFloat16>(x));
  return result;
}

struct Arguments {
  Arguments() {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> values(sizes.positions * 256), more(values.size());
    for (float& x : values) x = normal(random);
    for (float& x : more) x = normal(random);
    std::vector<float> points, all_offsets, all_locations, all_logits;
    for (int l = 0; l < 3; ++l) {
      for (int64_t i = 0; i < shapes[2 * l] * shapes[2 * l + 1]; ++i) {
        const float x = (i % shapes[2 * l + 1] + 0.5f) / shapes[2 * l + 1];
        const float y = (i / shapes[2 * l + 1] + 0.5f) / shapes[2 * l];
        for (int k = 0; k < 3; ++k) points.insert(points.end(), {x, y});
        for (int s = 0; s < 8 * 12; ++s) {
          const int k = s / 4 % 3;
          const float offset_x = 2 * normal(random);
          const float offset_y = 2 * normal(random);
          all_offsets.insert(all_offsets.end(), {offset_x, offset_y});
          all_locations.push_back(x + offset_x / shapes[2 * k + 1]);
          all_locations.push_back(y + offset_y / shapes[2 * k]);
          all_logits.push_back(normal(random));
        }
      }
    }
    value = Upload(values);
    grad_output = Upload(more);
    half_value = Upload(ToBFloat16(values));
    reference_points = Upload(points);
    offsets = Upload(all_offsets);
    half_offsets = Upload(ToBFloat16(all_offsets));
    logits = Upload(all_logits);
    half_logits = Upload(ToBFloat16(all_logits));
    locations = Upload(all_locations);
    weights = Upload(all_logits);
    output = Upload(values);
    half_output = Upload(ToBFloat16(values));
    half_grad_output = Upload(ToBFloat16(more));
    half_grad_offsets = Upload(ToBFloat16(all_offsets));
    half_grad_logits = Upload(ToBFloat16(all_logits));
    grad_value = Upload(values);
    grad_locations = Upload(all_locations);
    grad_weights = Upload(all_logits);
    device_shapes = Upload(std::vector<int64_t>(shapes, shapes + 6));
    Check(LaunchSoftmax(sizes, logits, weights, nullptr));
  }

  const int64_t shapes[6] = {32, 64, 64, 128, 128, 256};
  const MsDeformAttnSizes sizes = {1, 43008, 8, 32, 43008, 3, 4};
  float *value, *grad_output, *reference_points, *offsets, *logits, *locations,
      *weights, *output, *grad_value, *grad_locations, *grad_weights;
  BFloat16 *half_value, *half_offsets, *half_logits, *half_output,
      *half_grad_output, *half_grad_offsets, *half_grad_logits;
  int64_t* device_shapes;
};

const Arguments& GetArguments() {
  static const Arguments* const arguments = new Arguments;
  return *arguments;
}

void OurForward(const Arguments& a) {
  Check(LaunchMsDeformAttn(a.sizes, a.shapes, a.value,
                           PlainSamples{a.locations, a.weights}, a.output,
                           nullptr));
}

void TheirForward(const Arguments& a) {
  Check(LaunchPerChannel(a.sizes, a.device_shapes, a.value, a.locations,
                         a.weights, a.output, nullptr));
}

void OurFusedForward(const Arguments& a) {
  Check(LaunchMsDeformAttnFused(
      a.sizes, a.shapes, a.half_value,
      FusedSamples<BFloat16>{a.reference_points, 1, a.half_offsets,
                             a.half_logits},
      a.half_output, nullptr));
}

void TheirSequence(const Arguments& a) {
  Check(LaunchLocations(a.sizes, a.device_shapes, a.reference_points, a.offsets,
                        a.locations, nullptr));
  Check(LaunchSoftmax(a.sizes, a.logits, a.weights, nullptr));
  TheirForward(a);
}

template <bool deterministic>
void OurBackward(const Arguments& a) {
  Check(LaunchMsDeformAttnBackward(
      a.sizes, a.shapes, a.grad_output, a.value,
      PlainSamples{a.locations, a.weights}, a.grad_value,
      PlainGradients{a.grad_locations, a.grad_weights}, deterministic,
      nullptr));
}

void TheirBackward(const Arguments& a) {
  Check(cudaMemsetAsync(a.grad_value, 0,
                        a.sizes.positions * 256 * sizeof(float), nullptr));
  Check(LaunchPerChannelBackward(a.sizes, a.device_shapes, a.grad_output,
                                 a.value, a.locations, a.weights, a.grad_value,
                                 a.grad_locations, a.grad_weights, nullptr));
}

void OurFusedBackward(const Arguments& a) {
  Check(LaunchMsDeformAttnFusedBackward(
      a.sizes, a.shapes, a.half_grad_output, a.half_value,
      FusedSamples<BFloat16>{a.reference_points, 1, a.half_offsets,
                             a.half_logits},
      a.grad_value,
      FusedGradients<BFloat16>{a.half_grad_offsets, a.half_grad_logits},
      /*deterministic=*/false, nullptr));
}

void TheirBackwardSequence(const Arguments& a) {
  Check(LaunchLocations(a.sizes, a.device_shapes, a.reference_points, a.offsets,
                        a.locations, nullptr));
  Check(LaunchSoftmax(a.sizes, a.logits, a.weights, nullptr));
  TheirBackward(a);
}

using Step = void (*)(const Arguments&);

double Seconds(Step step) {
  static cudaEvent_t begin = nullptr, end = nullptr;
  if (begin == nullptr) {
    Check(cudaEventCreate(&begin));
    Check(cudaEventCreate(&end));
  }
  Check(cudaEventRecord(begin));
  step(GetArguments());
  Check(cudaEventRecord(end));
  Check(cudaEventSynchronize(end));
  float milliseconds = 0;
  Check(cudaEventElapsedTime(&milliseconds, begin, end));
  return milliseconds / 1e3;
}

void Compare(benchmark::State& state, Step ours, Step theirs) {
  int devices = 0;
  if (cudaGetDeviceCount(&devices) != cudaSuccess || devices == 0) {
    state.SkipWithError("needs a GPU");
    return;
  }
  for (int i = 0; i < 3; ++i) {
    Seconds(ours);
    Seconds(theirs);
  }
  CompareBenchmark(
      state, GetArguments().sizes.queries, [ours] { return Seconds(ours); },
      [theirs] { return Seconds(theirs); });
}

BENCHMARK_CAPTURE(Compare, forward, OurForward, TheirForward)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Compare, fused_forward, OurFusedForward, TheirSequence)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Compare, backward, OurBackward<false>, TheirBackward)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Compare, fused_backward, OurFusedBackward,
                  TheirBackwardSequence)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(Compare, deterministic, OurBackward<true>, TheirBackward)
    ->UseManualTime()
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace mask2former::ops

BENCHMARK_MAIN();
