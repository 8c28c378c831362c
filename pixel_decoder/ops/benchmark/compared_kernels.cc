#include "mask2former/pixel_decoder/ops/benchmark/compared_kernels.h"

#include <cuda_runtime.h>

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "mask2former/pixel_decoder/ops/benchmark/per_channel_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"

namespace mask2former::ops {
namespace {

constexpr int64_t kHeads = 8;
constexpr int64_t kHeadDim = 32;
constexpr int64_t kChannels = kHeads * kHeadDim;
constexpr int64_t kLevels = 3;
constexpr int64_t kPoints = 4;
constexpr int64_t kSamples = kLevels * kPoints;

using Arguments = ComparedArguments;

void Check(cudaError_t error) {
  if (error == cudaSuccess) return;
  std::fprintf(stderr, "%s\n", cudaGetErrorString(error));
  std::exit(1);
}

template <typename T>
T* Allocate(size_t count) {
  T* result = nullptr;
  Check(cudaMalloc(reinterpret_cast<void**>(&result), count * sizeof(T)));
  return result;
}

template <typename T>
T* Upload(const std::vector<T>& values) {
  T* const result = Allocate<T>(values.size());
  Check(cudaMemcpy(result, values.data(), values.size() * sizeof(T),
                   cudaMemcpyHostToDevice));
  return result;
}

template <typename T>
std::vector<float> Download(const T* values, size_t count) {
  std::vector<T> copy(count);
  Check(cudaDeviceSynchronize());
  Check(cudaMemcpy(copy.data(), values, count * sizeof(T),
                   cudaMemcpyDeviceToHost));
  std::vector<float> result;
  result.reserve(count);
  for (const T x : copy) result.push_back(ToFloat(x));
  return result;
}

std::vector<BFloat16> ToBFloat16(const std::vector<float>& values) {
  std::vector<BFloat16> result;
  result.reserve(values.size());
  for (const float x : values) result.push_back(FromFloat<BFloat16>(x));
  return result;
}

size_t Values(const Arguments& a) { return a.sizes.positions * kChannels; }
size_t Outputs(const Arguments& a) { return a.sizes.queries * kChannels; }
size_t Weights(const Arguments& a) {
  return a.sizes.queries * kHeads * kSamples;
}
size_t Locations(const Arguments& a) { return 2 * Weights(a); }

// So that no side is taken for the other, whose results lay there.
void ForgetResults(const Arguments& a) {
  const auto forget = [](auto* results, size_t count) {
    Check(cudaMemset(results, 0xff, count * sizeof(*results)));  // NaN
  };
  forget(a.output, Outputs(a));
  forget(a.half_output, Outputs(a));
  forget(a.grad_value, Values(a));
  forget(a.grad_locations, Locations(a));
  forget(a.grad_weights, Weights(a));
  forget(a.half_grad_offsets, Locations(a));
  forget(a.half_grad_logits, Weights(a));
}

void OurForward(const Arguments& a) {
  Check(LaunchMsDeformAttn(a.sizes, a.shapes.data(), a.value,
                           PlainSamples{a.locations, a.weights}, a.output,
                           nullptr));
}

void TheirForward(const Arguments& a) {
  Check(LaunchPerChannel(a.sizes, a.device_shapes, a.value, a.locations,
                         a.weights, a.output, nullptr));
}

void OurFusedForward(const Arguments& a) {
  Check(LaunchMsDeformAttnFused(
      a.sizes, a.shapes.data(), a.half_value,
      FusedSamples<BFloat16>{a.reference_points, 1, a.half_offsets,
                             a.half_logits},
      a.half_output, nullptr));
}

void MakeSamples(const Arguments& a) {
  Check(LaunchLocations(a.sizes, a.device_shapes, a.reference_points, a.offsets,
                        a.locations, nullptr));
  Check(LaunchSoftmax(a.sizes, a.logits, a.weights, nullptr));
}

void TheirSequence(const Arguments& a) {
  MakeSamples(a);
  TheirForward(a);
}

template <bool deterministic>
void OurBackward(const Arguments& a) {
  Check(LaunchMsDeformAttnBackward(
      a.sizes, a.shapes.data(), a.grad_output, a.value,
      PlainSamples{a.locations, a.weights}, a.grad_value,
      PlainGradients{a.grad_locations, a.grad_weights}, deterministic,
      nullptr));
}

void TheirBackward(const Arguments& a) {
  Check(cudaMemsetAsync(a.grad_value, 0, Values(a) * sizeof(float), nullptr));
  Check(LaunchPerChannelBackward(a.sizes, a.device_shapes, a.grad_output,
                                 a.value, a.locations, a.weights, a.grad_value,
                                 a.grad_locations, a.grad_weights, nullptr));
}

void OurFusedBackward(const Arguments& a) {
  Check(LaunchMsDeformAttnFusedBackward(
      a.sizes, a.shapes.data(), a.half_grad_output, a.half_value,
      FusedSamples<BFloat16>{a.reference_points, 1, a.half_offsets,
                             a.half_logits},
      a.grad_value,
      FusedGradients<BFloat16>{a.half_grad_offsets, a.half_grad_logits},
      /*deterministic=*/false, nullptr));
}

void TheirBackwardSequence(const Arguments& a) {
  MakeSamples(a);
  TheirBackward(a);
}

ComparedResults Output(const Arguments& a) {
  return {{"output", Download(a.output, Outputs(a))}};
}

ComparedResults HalfOutput(const Arguments& a) {
  return {{"output", Download(a.half_output, Outputs(a))}};
}

// Of locations, but in pixels: else they are as many times larger as a level
// is, and so are their errors.
std::vector<float> OffsetGradients(const Arguments& a) {
  std::vector<float> gradients = Download(a.grad_locations, Locations(a));
  for (size_t i = 0; i < gradients.size(); ++i) {
    const size_t l = i / 2 / kPoints % kLevels;
    gradients[i] /= static_cast<float>(a.shapes[2 * l + 1 - i % 2]);
  }
  return gradients;
}

ComparedResults Gradients(const Arguments& a) {
  return {{"grad_value", Download(a.grad_value, Values(a))},
          {"grad_locations", OffsetGradients(a)},
          {"grad_weights", Download(a.grad_weights, Weights(a))}};
}

ComparedResults OurFusedGradients(const Arguments& a) {
  return {{"grad_value", Download(a.grad_value, Values(a))},
          {"grad_offsets", Download(a.half_grad_offsets, Locations(a))},
          {"grad_logits", Download(a.half_grad_logits, Weights(a))}};
}

// The steps that theirs leaves out, on the host.
ComparedResults TheirFusedGradients(const Arguments& a) {
  std::vector<float> logits = Download(a.grad_weights, Weights(a));
  const std::vector<float> weights = Download(a.weights, Weights(a));
  for (size_t first = 0; first < logits.size(); first += kSamples) {
    float mean = 0;
    for (size_t i = first; i < first + kSamples; ++i) {
      mean += weights[i] * logits[i];
    }
    for (size_t i = first; i < first + kSamples; ++i) {
      logits[i] = weights[i] * (logits[i] - mean);
    }
  }
  return {{"grad_value", Download(a.grad_value, Values(a))},
          {"grad_offsets", OffsetGradients(a)},
          {"grad_logits", logits}};
}

}  // namespace

ComparedArguments::ComparedArguments(int64_t image_height) {
  sizes = {/*batch=*/1,   /*positions=*/0, kHeads, kHeadDim,
           /*queries=*/0, kLevels,         kPoints};
  for (const int64_t stride : {32, 16, 8}) {
    const int64_t height = image_height / stride;
    shapes.insert(shapes.end(), {height, 2 * height});
    sizes.positions += 2 * height * height;
  }
  sizes.queries = sizes.positions;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  const auto draw = [&] {
    return ToFloat(FromFloat<BFloat16>(normal(random)));
  };
  std::vector<float> values(Values(*this)), gradients(Outputs(*this)), points,
      all_offsets, all_logits;
  for (float& x : values) x = draw();
  for (float& x : gradients) x = draw();
  for (int64_t l = 0; l < kLevels; ++l) {
    const int64_t height = shapes[2 * l], width = shapes[2 * l + 1];
    for (int64_t i = 0; i < height * width; ++i) {
      const float x =
          (static_cast<float>(i % width) + 0.5f) / static_cast<float>(width);
      const float y =
          (static_cast<float>(i / width) + 0.5f) / static_cast<float>(height);
      for (int64_t k = 0; k < kLevels; ++k) {
        points.insert(points.end(), {x, y});
      }
    }
  }
  for (size_t i = 0; i < Locations(*this); ++i) {
    all_offsets.push_back(2 * draw());
  }
  for (size_t i = 0; i < Weights(*this); ++i) all_logits.push_back(draw());
  value = Upload(values);
  half_value = Upload(ToBFloat16(values));
  grad_output = Upload(gradients);
  half_grad_output = Upload(ToBFloat16(gradients));
  reference_points = Upload(points);
  offsets = Upload(all_offsets);
  half_offsets = Upload(ToBFloat16(all_offsets));
  logits = Upload(all_logits);
  half_logits = Upload(ToBFloat16(all_logits));
  device_shapes = Upload(shapes);
  locations = Allocate<float>(Locations(*this));
  weights = Allocate<float>(Weights(*this));
  output = Allocate<float>(Outputs(*this));
  half_output = Allocate<BFloat16>(Outputs(*this));
  grad_value = Allocate<float>(Values(*this));
  grad_locations = Allocate<float>(Locations(*this));
  grad_weights = Allocate<float>(Weights(*this));
  half_grad_offsets = Allocate<BFloat16>(Locations(*this));
  half_grad_logits = Allocate<BFloat16>(Weights(*this));
  MakeSamples(*this);
}

const std::vector<ComparedPair>& ComparedPairs() {
  // Sums in float, and for bfloat16 one rounding, of half a unit in the last of
  // eight places.
  static const auto* const pairs = new std::vector<ComparedPair>{
      {"forward", OurForward, TheirForward, Output, Output, 1e-5f, 1e-4f},
      {"fused_forward", OurFusedForward, TheirSequence, HalfOutput, Output,
       1e-4f, 0x1p-8f},
      {"backward", OurBackward<false>, TheirBackward, Gradients, Gradients,
       1e-4f, 1e-3f},
      {"fused_backward", OurFusedBackward, TheirBackwardSequence,
       OurFusedGradients, TheirFusedGradients, 1e-4f, 0x1p-8f},
      {"deterministic", OurBackward<true>, TheirBackward, Gradients, Gradients,
       1e-4f, 1e-3f}};
  return *pairs;
}

std::string FindDifferences(const ComparedArguments& a,
                            const ComparedPair& pair) {
  ForgetResults(a);
  pair.ours(a);
  const ComparedResults ours = pair.our_results(a);
  ForgetResults(a);
  pair.theirs(a);
  const ComparedResults theirs = pair.their_results(a);
  std::string text;
  for (const auto& [name, mine] : ours) {
    const std::vector<float>& its = theirs.at(name);
    size_t different = 0;
    for (size_t i = 0; i < mine.size(); ++i) {
      // Written so that NaN differs, too.
      different += !(std::fabs(mine[i] - its[i]) <=
                     pair.absolute + pair.relative * std::fabs(its[i]));
    }
    if (different * 10000 <= mine.size()) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(different) + " of " +
            std::to_string(mine.size()) + " numbers of " + name;
  }
  return text;
}

}  // namespace mask2former::ops
