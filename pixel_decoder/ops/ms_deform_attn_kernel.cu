// The forward kernels of ms_deform_attn_kernel.h.
//
// Threads: kGroup neighbouring threads serve one cell, that is one (image,
// query, head), each with 16 bytes of neighbouring channels: 8 threads of 4
// floats, or 4 threads of 8 halves, cover the 32 channels of a head. A block
// serves neighbouring queries of one head, whose readings overlap, so that L1
// keeps them.
//
// Rounds: first every thread prepares one sample of its cell (softmax, corners,
// bilinear weights), then all threads of the cell read the samples of all. So
// the arithmetic of a sample is done once and not once per channel; it is
// handed over in shared memory, within a warp.
//
// Memory: a corner's channels are one load of 16 bytes a thread, 64 or 128
// bytes a cell. Corners outside are not read. Sums are float, in registers.

#include <algorithm>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_samples.h"

namespace mask2former::ops {
namespace {

constexpr int kMaxGridY = 65535;

// The largest logit of a cell, by all its kGroup threads.
template <int kGroup, typename Reader>
__device__ float LargestLogit(const Reader& reader, int lane, int count) {
  float largest = -INFINITY;
#pragma unroll 1  // Seldom more than two rounds.
  for (int s = lane; s < count; s += kGroup) {
    largest = fmaxf(largest, reader.Logit(s));
  }
#pragma unroll
  for (int step = kGroup / 2; step > 0; step /= 2) {
    largest = fmaxf(largest, __shfl_xor_sync(kFullWarp, largest, step));
  }
  return largest;
}

// The sum over a cell's kGroup threads, in all of them.
template <int kGroup>
__device__ float SumOfGroup(float sum) {
#pragma unroll
  for (int step = kGroup / 2; step > 0; step /= 2) {
    sum += __shfl_xor_sync(kFullWarp, sum, step);
  }
  return sum;
}

// Adds weight times a corner's channels to the sums.
template <typename value_t, int kVector, int kVectors, int kGroup>
__device__ void AddCorner(const char* corner, float weight, int live,
                          float (*sums)[kVector]) {
  using Vector = Pack<value_t, kVector>;
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    if (v < live) {
      const Vector pixel = reinterpret_cast<const Vector*>(corner)[v * kGroup];
      float floats[kVector];
      ToFloats(pixel, floats);
#pragma unroll
      for (int c = 0; c < kVector; ++c) sums[v][c] += weight * floats[c];
    }
  }
}

template <typename value_t, int kVector, int kVectors, int kGroup>
__device__ void AddSample(const float4 weights, const int4 corners,
                          const char* base, int pitch, int live,
                          float (*sums)[kVector]) {
  const char* const upper = Advance(base, corners.x, pitch);
  const char* const lower = Advance(base, corners.y, pitch);
  const int inside = corners.z;
  if (inside & 1) {
    AddCorner<value_t, kVector, kVectors, kGroup>(upper, weights.x, live, sums);
  }
  if (inside & 2) {
    AddCorner<value_t, kVector, kVectors, kGroup>(upper + pitch, weights.y,
                                                  live, sums);
  }
  if (inside & 4) {
    AddCorner<value_t, kVector, kVectors, kGroup>(lower, weights.z, live, sums);
  }
  if (inside & 8) {
    AddCorner<value_t, kVector, kVectors, kGroup>(lower + pitch, weights.w,
                                                  live, sums);
  }
}

// Stores what nobody reads soon: it need not take L1's room. By one
// instruction, where compilers make several of a plain store.
template <typename value_t, int kVector>
__device__ void Store(const Pack<value_t, kVector>& pack,
                      Pack<value_t, kVector>* destination) {
  if constexpr (sizeof(pack) == sizeof(uint4)) {
    __stcg(reinterpret_cast<uint4*>(destination),
           reinterpret_cast<const uint4&>(pack));
  } else {
    *destination = pack;
  }
}

// kPoints: P, or 0 for any. Levels are counted when the kernel runs, for a
// round is the same whatever their number. kExact: the kGroup * kVectors
// vectors are the head; else they walk along it in steps.
template <typename value_t, int kVector, int kGroup, int kVectors, bool kExact,
          int kPoints, typename Reader, typename Samples>
__global__ void __launch_bounds__(kThreads)
    ForwardKernel(const CudaSizes sizes, const CudaLevels levels,
                  const value_t* __restrict__ value, const Samples samples,
                  value_t* __restrict__ output) {
  using Vector = Pack<value_t, kVector>;
  constexpr int kCells = kThreads / kGroup;
  constexpr int kStep = kGroup * kVectors * kVector;
  constexpr int kUnroll = kPoints % 4 == 0 && kPoints > 0 ? 4 : 1;
  __shared__ float4 shared_weights[kThreads];
  // Positions of the upper and the lower left corner; BilinearTaps::inside.
  __shared__ int4 shared_corners[kThreads];

  const int lane = threadIdx.x % kGroup;
  const int group = threadIdx.x - lane;
  const int query = blockIdx.x * kCells + threadIdx.x / kGroup;
  const bool alive = query < sizes.queries;
  const int own_query = alive ? query : sizes.queries - 1;
  const int points = kPoints > 0 ? kPoints : sizes.points;
  const int count = sizes.levels * points;
  const int channels = kExact ? kStep : sizes.head_dim;
  const int pitch = sizes.heads * channels * static_cast<int>(sizeof(value_t));

  for (int map = blockIdx.y; map < sizes.images_x_heads; map += gridDim.y) {
    const int image = map / sizes.heads;
    const int head = map - image * sizes.heads;
    const Reader reader(samples, sizes, image, own_query, head, count);
    // Weights are divided by their sum at the end, in the outputs.
    Softmax softmax;
    if (Reader::kFused) {
      softmax = {LargestLogit<kGroup>(reader, lane, count), 1};
    }
    for (int start = 0; start < channels; start += kStep) {
      const int first_channel = start + lane * kVector;
      // Vectors that this thread has left.
      const int live = kExact
                           ? kVectors
                           : (channels - first_channel + kGroup * kVector - 1) /
                                 (kGroup * kVector);
      const char* const base = reinterpret_cast<const char*>(
          value + sizes.MapOffset(image, head) + first_channel);
      float sums[kVectors][kVector] = {};
      float own_weights = 0;  // The sum of those that this thread prepares.
      for (int first = 0; first < count; first += kGroup) {
        const int s = first + lane;
        __syncwarp();
        if (s < count) {
          const int l = s / points;
          const int height = levels.height[l];
          const int width = levels.width[l];
          const Sample sample = reader.At(s, l, height, width, softmax);
          own_weights += sample.weight;
          const BilinearTaps<float> taps =
              MakeBilinearTaps(sample.y, sample.x, height, width);
          // A sample without corners weighs nothing, be its weight NaN.
          const float weight = taps.inside == kNoTap ? 0.0f : sample.weight;
          const float lower = weight * taps.y;
          const float upper = weight - lower;
          const float lower_right = lower * taps.x;
          const float upper_right = upper * taps.x;
          const int position = levels.start[l] + taps.first;
          shared_weights[threadIdx.x] = {upper - upper_right, upper_right,
                                         lower - lower_right, lower_right};
          shared_corners[threadIdx.x] = {position, position + width,
                                         taps.inside, 0};
        }
        __syncwarp();
        const int round = min(kGroup, count - first);
        for (int i = 0; i < round; i += kUnroll) {
#pragma unroll
          for (int j = 0; j < kUnroll; ++j) {
            AddSample<value_t, kVector, kVectors, kGroup>(
                shared_weights[group + i + j], shared_corners[group + i + j],
                base, pitch, live, sums);
          }
        }
      }
      float scale = 1;
      if (Reader::kFused && count > 0) {
        scale = Reciprocal(SumOfGroup<kGroup>(own_weights));
      }
      value_t* const own_output =
          output + sizes.Cell(image, own_query, head) * channels +
          first_channel;
#pragma unroll
      for (int v = 0; v < kVectors; ++v) {
        if (!alive || v >= live) continue;
        Vector result;
#pragma unroll
        for (int c = 0; c < kVector; ++c) {
          result.at[c] = FromFloat<value_t>(sums[v][c] * scale);
        }
        Store(result, reinterpret_cast<Vector*>(own_output) + v * kGroup);
      }
    }
  }
}

template <typename value_t>
struct ForwardProblem {
  CudaSizes sizes;
  CudaLevels levels;
  const value_t* value;
  value_t* output;
  cudaStream_t stream;
};

template <int kVector, int kGroup, int kVectors, bool kExact, int kPoints,
          typename Reader, typename value_t, typename Samples>
cudaError_t Launch(const ForwardProblem<value_t>& problem,
                   const Samples& samples) {
  constexpr int kCells = kThreads / kGroup;
  const dim3 grid((problem.sizes.queries + kCells - 1) / kCells,
                  std::min(problem.sizes.images_x_heads, kMaxGridY));
  return LaunchKernel(ForwardKernel<value_t, kVector, kGroup, kVectors, kExact,
                                    kPoints, Reader, Samples>,
                      grid, dim3(kThreads), 0, problem.stream, problem.sizes,
                      problem.levels, problem.value, samples, problem.output);
}

// Picks the kernel.
template <typename Reader, typename value_t, typename Samples>
cudaError_t Forward(const MsDeformAttnSizes& sizes, const int64_t* level_shapes,
                    const value_t* value, const Samples& samples,
                    value_t* output, cudaStream_t stream) {
  constexpr int kVector = 16 / sizeof(value_t);
  constexpr int kGroup = 32 / kVector;
  ForwardProblem<value_t> problem = {{}, {}, value, output, stream};
  const cudaError_t error =
      MakeCudaSizes(sizes, level_shapes, &problem.sizes, &problem.levels);
  if (error != cudaSuccess) return error;
  if (!FitsBatch(samples, sizes.batch)) return cudaErrorInvalidValue;
  if (sizes.batch * sizes.queries * sizes.heads * sizes.head_dim == 0) {
    return cudaSuccess;
  }
  if (!AreAligned(samples)) return cudaErrorInvalidValue;
  const bool vectors = sizes.head_dim % kVector == 0 && IsAligned(value, 16) &&
                       IsAligned(output, 16);
  if (!vectors) {
    return Launch<1, 8, 4, false, 0, Reader>(problem, samples);
  }
  if (sizes.head_dim == 32) {
    if (sizes.points == 4) {
      return Launch<kVector, kGroup, 1, true, 4, Reader>(problem, samples);
    }
    if (sizes.points == 8) {
      return Launch<kVector, kGroup, 1, true, 8, Reader>(problem, samples);
    }
  }
  return Launch<kVector, kGroup, 2, false, 0, Reader>(problem, samples);
}

}  // namespace

template <typename value_t>
cudaError_t LaunchMsDeformAttn(const MsDeformAttnSizes& sizes,
                               const int64_t* level_shapes,
                               const value_t* value,
                               const PlainSamples& samples, value_t* output,
                               cudaStream_t stream) {
  return Forward<PlainReader>(sizes, level_shapes, value, samples, output,
                              stream);
}

template <typename value_t, typename raw_t>
cudaError_t LaunchMsDeformAttnFused(const MsDeformAttnSizes& sizes,
                                    const int64_t* level_shapes,
                                    const value_t* value,
                                    const FusedSamples<raw_t>& samples,
                                    value_t* output, cudaStream_t stream) {
  return Forward<FusedReader<raw_t>>(sizes, level_shapes, value, samples,
                                     output, stream);
}

#define M2F_INSTANTIATE_PLAIN(value_t)                          \
  template cudaError_t LaunchMsDeformAttn(                      \
      const MsDeformAttnSizes&, const int64_t*, const value_t*, \
      const PlainSamples&, value_t*, cudaStream_t);
M2F_INSTANTIATE_PLAIN(float)
M2F_INSTANTIATE_PLAIN(Float16)
M2F_INSTANTIATE_PLAIN(BFloat16)
#undef M2F_INSTANTIATE_PLAIN

#define M2F_INSTANTIATE_FUSED(value_t, raw_t)                   \
  template cudaError_t LaunchMsDeformAttnFused(                 \
      const MsDeformAttnSizes&, const int64_t*, const value_t*, \
      const FusedSamples<raw_t>&, value_t*, cudaStream_t);
M2F_INSTANTIATE_FUSED(float, float)
M2F_INSTANTIATE_FUSED(Float16, float)
M2F_INSTANTIATE_FUSED(Float16, Float16)
M2F_INSTANTIATE_FUSED(BFloat16, float)
M2F_INSTANTIATE_FUSED(BFloat16, BFloat16)
#undef M2F_INSTANTIATE_FUSED

}  // namespace mask2former::ops
