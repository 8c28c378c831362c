// The backward kernels of ms_deform_attn_kernel.h.
//
// Threads: four neighbouring threads serve four neighbouring queries of one
// head, and each a quarter of its channels (D = 32: two vectors of 4 floats, or
// one of 8 halves). Sample by sample, in the same order for all queries: each
// thread prepares the sample of the query that it owns and hands it over in
// shared memory; then all four threads go through the four queries; then the
// owner gets its query's dot products, from which its gradients follow.
//
// Gradients of samples: only the dot products of grad_output with the four
// corners are needed. Each thread has a quarter of them for all queries; a
// butterfly of 12 shuffles for 16 numbers sums them up in their owners.
//
// Gradient of values: neighbouring queries read neighbouring pixels, so what
// they add is first summed up in registers. A window of 2 x 2 pixels moves with
// the queries: where the next one reads the same four pixels, nothing is
// written; where it reads one further to the right, two pixels are; else all
// four. Written means added to memory, 16 bytes at a time where the
// architecture can (sm_90).

#include <algorithm>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_owner_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_samples.h"

namespace mask2former::ops {
namespace {

constexpr int kMaxGridY = 65535;
constexpr int kGroup = 4;  // Threads, and queries.
constexpr int kQueriesPerBlock = kThreads;

template <int kCount>
__device__ void AddToMemory(const float* sums, float* destination) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
  constexpr int kPacked = kCount / 4 * 4;
#pragma unroll
  for (int i = 0; i < kPacked; i += 4) {
    atomicAdd(reinterpret_cast<float4*>(destination + i),
              float4{sums[i], sums[i + 1], sums[i + 2], sums[i + 3]});
  }
#else
  constexpr int kPacked = 0;
#endif
#pragma unroll
  for (int i = kPacked; i < kCount; ++i) atomicAdd(destination + i, sums[i]);
}

// The sums of a thread's channels over queries, for the 2 x 2 pixels whose
// upper left is at `position`.
template <int kVector, int kVectors>
struct Window {
  int position;
  int touched;  // BilinearTaps::inside of all that was added.
  float sums[4][kVectors][kVector];
};

// Adds corner k's sums to memory.
template <int k, int kVector, int kVectors>
__device__ void Flush(const Window<kVector, kVectors>& window, float* grad_map,
                      int width, int pitch, int live) {
  if ((window.touched >> k & 1) == 0) return;
  float* const pixel =
      grad_map +
      int64_t{window.position + k % 2 + (k / 2 == 0 ? 0 : width)} * pitch;
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    if (v < live) {
      AddToMemory<kVector>(window.sums[k][v], pixel + v * kGroup * kVector);
    }
  }
}

// Makes the window that of the pixels at `position`.
template <int kVector, int kVectors>
__device__ void Move(int position, float* grad_map, int width, int pitch,
                     int live, Window<kVector, kVectors>* window) {
  if (position == window->position) return;
  Flush<0>(*window, grad_map, width, pitch, live);
  Flush<2>(*window, grad_map, width, pitch, live);
  const bool right = position == window->position + 1;
  if (!right) {
    Flush<1>(*window, grad_map, width, pitch, live);
    Flush<3>(*window, grad_map, width, pitch, live);
  }
  window->position = position;
  window->touched = right ? window->touched >> 1 & 5 : 0;
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
#pragma unroll
    for (int c = 0; c < kVector; ++c) {
      window->sums[0][v][c] = right ? window->sums[1][v][c] : 0.0f;
      window->sums[2][v][c] = right ? window->sums[3][v][c] : 0.0f;
      window->sums[1][v][c] = 0;
      window->sums[3][v][c] = 0;
    }
  }
}

// Reads a thread's channels of a corner; zeros if it is outside.
template <typename value_t, int kVector, int kVectors>
__device__ void LoadCorner(bool inside, const char* corner, int live,
                           Pack<value_t, kVector>* vectors) {
#pragma unroll
  for (int v = 0; v < kVectors; ++v) {
    vectors[v] = {};
    if (inside && v < live) {
      vectors[v] =
          reinterpret_cast<const Pack<value_t, kVector>*>(corner)[v * kGroup];
    }
  }
}

// From dots[i][k], a quarter of query i's dot product with corner k in each of
// the four threads, to the whole dot products of query `lane` in dots[0].
__device__ void SumDots(int lane, float (*dots)[4]) {
#pragma unroll
  for (int half = 2; half > 0; half /= 2) {
    const bool upper = (lane & half) != 0;
#pragma unroll
    for (int i = 0; i < half; ++i) {
#pragma unroll
      for (int k = 0; k < 4; ++k) {
        const float keep = upper ? dots[i + half][k] : dots[i][k];
        const float give = upper ? dots[i][k] : dots[i + half][k];
        dots[i][k] = keep + __shfl_xor_sync(kFullWarp, give, half);
      }
    }
  }
}

// grad_value is null if the owner kernel fills it. kScores: samples of a cell
// that the block has room for; if they are more, samples are gone through
// twice. kExact: as in the forward kernel.
template <typename value_t, int kVector, int kVectors, bool kExact, int kScores,
          typename Reader, typename Samples, typename Gradients>
__global__ void __launch_bounds__(kThreads, 4)
    BackwardKernel(const CudaSizes sizes, const CudaLevels levels,
                   const value_t* __restrict__ grad_output,
                   const value_t* __restrict__ value, const Samples samples,
                   float* grad_value, const Gradients gradients) {
  using Vector = Pack<value_t, kVector>;
  constexpr int kStep = kGroup * kVectors * kVector;
  __shared__ float4 shared_weights[kThreads];
  __shared__ int4 shared_corners[kThreads];
  // Of each thread's samples, the gradient of the weight.
  __shared__ float scores[kScores > 0 ? kScores : 1][kThreads];

  const int lane = threadIdx.x % kGroup;
  const int group = threadIdx.x - lane;
  const int first_query = blockIdx.x * kQueriesPerBlock + group;
  const int own_query = min(first_query + lane, sizes.queries - 1);
  const bool alive = first_query + lane < sizes.queries;
  const int count = sizes.levels * sizes.points;
  const int channels = kExact ? kStep : sizes.head_dim;
  const int pitch = sizes.heads * channels;
  constexpr int kValueBytes = sizeof(value_t);

  for (int map = blockIdx.y; map < sizes.images_x_heads; map += gridDim.y) {
    const int image = map / sizes.heads;
    const int head = map - image * sizes.heads;
    const Reader reader(samples, sizes, image, own_query, head, count);
    Softmax softmax;
    if (Reader::kFused) softmax = MakeOwnSoftmax(reader, count);
    float mean_score = 0;  // Weighted by the samples' weights.

    // In the first of two passes only mean_score is found.
    constexpr bool kTwice = Reader::kFused && kScores == 0;
    for (int pass = kTwice ? 0 : 1; pass < 2; ++pass) {
      int s = 0;
      for (int l = 0; l < sizes.levels; ++l) {
        const int height = levels.height[l];
        const int width = levels.width[l];
        for (int p = 0; p < sizes.points; ++p, ++s) {
          const Sample sample = reader.At(s, l, height, width, softmax);
          const BilinearTaps<float> taps =
              MakeBilinearTaps(sample.y, sample.x, height, width);
          const int inside = alive ? taps.inside : kNoTap;
          const float weight = inside == kNoTap ? 0.0f : sample.weight;
          const float lower = weight * taps.y;
          const float upper = weight - lower;
          const float lower_right = lower * taps.x;
          const float upper_right = upper * taps.x;
          __syncwarp();
          shared_weights[threadIdx.x] = {upper - upper_right, upper_right,
                                         lower - lower_right, lower_right};
          shared_corners[threadIdx.x] = {levels.start[l] + taps.first, inside,
                                         0, 0};
          __syncwarp();

          float dots[kGroup][4] = {};
          for (int start = 0; start < channels; start += kStep) {
            const int first_channel = start + lane * kVector;
            const int live =
                kExact ? kVectors
                       : (channels - first_channel + kGroup * kVector - 1) /
                             (kGroup * kVector);
            const int64_t offset = sizes.MapOffset(image, head) + first_channel;
            const char* const base =
                reinterpret_cast<const char*>(value + offset);
            float* const grad_map = grad_value + offset;
            const bool adds = grad_value != nullptr && pass == 1;
            Window<kVector, kVectors> window = {};
#pragma unroll
            for (int i = 0; i < kGroup; ++i) {
              const int4 corners = shared_corners[group + i];
              if (corners.y == kNoTap) continue;
              const float4 weights = shared_weights[group + i];
              const value_t* const grad_row =
                  grad_output +
                  sizes.Cell(image, first_query + i, head) * channels +
                  first_channel;
              float grad[kVectors][kVector] = {};
#pragma unroll
              for (int v = 0; v < kVectors; ++v) {
                if (v < live) {
                  ToFloats(
                      reinterpret_cast<const Vector*>(grad_row)[v * kGroup],
                      grad[v]);
                }
              }
              const char* const upper_pixel =
                  Advance(base, corners.x, pitch * kValueBytes);
              const char* const lower_pixel =
                  Advance(base, corners.x + width, pitch * kValueBytes);
              // All loads first: they take long, and do so at the same time.
              Vector pixels[4][kVectors];
#pragma unroll
              for (int k = 0; k < 4; ++k) {
                LoadCorner<value_t, kVector, kVectors>(
                    (corners.y >> k & 1) != 0,
                    (k < 2 ? upper_pixel : lower_pixel) +
                        k % 2 * pitch * kValueBytes,
                    live, pixels[k]);
              }
              if (adds) {
                Move(corners.x, grad_map, width, pitch, live, &window);
              }
              window.touched |= corners.y;
              const float corner_weights[4] = {weights.x, weights.y, weights.z,
                                               weights.w};
#pragma unroll
              for (int k = 0; k < 4; ++k) {
                const bool inside = (corners.y >> k & 1) != 0;
#pragma unroll
                for (int v = 0; v < kVectors; ++v) {
                  float pixel[kVector];
                  ToFloats(pixels[k][v], pixel);
#pragma unroll
                  for (int c = 0; c < kVector; ++c) {
                    dots[i][k] += grad[v][c] * pixel[c];
                    if (inside) {
                      window.sums[k][v][c] += corner_weights[k] * grad[v][c];
                    }
                  }
                }
              }
            }
            if (adds) {
              Flush<0>(window, grad_map, width, pitch, live);
              Flush<1>(window, grad_map, width, pitch, live);
              Flush<2>(window, grad_map, width, pitch, live);
              Flush<3>(window, grad_map, width, pitch, live);
            }
          }

          SumDots(lane, dots);
          const float left = dots[0][0] + taps.y * (dots[0][2] - dots[0][0]);
          const float right = dots[0][1] + taps.y * (dots[0][3] - dots[0][1]);
          const float score = left + taps.x * (right - left);
          const float grad_x = weight * (right - left);
          const float top = dots[0][0] + taps.x * (dots[0][1] - dots[0][0]);
          const float bottom = dots[0][2] + taps.x * (dots[0][3] - dots[0][2]);
          const float grad_y = weight * (bottom - top);
          if constexpr (Reader::kFused) {
            if (pass == 0 || kScores > 0) mean_score += weight * score;
            if constexpr (kScores > 0) scores[s][threadIdx.x] = score;
          }
          if (pass == 0 || !alive) continue;
          if constexpr (Reader::kFused) {
            StorePair(grad_x, grad_y,
                      gradients.offsets + 2 * (reader.first + s));
            if constexpr (kScores == 0) {
              StoreOne(softmax(reader.Logit(s)) * (score - mean_score),
                       gradients.logits + reader.first + s);
            }
          } else {
            StorePair(grad_x * static_cast<float>(width),
                      grad_y * static_cast<float>(height),
                      gradients.locations + 2 * (reader.first + s));
            gradients.weights[reader.first + s] = score;
          }
        }
      }
    }
    if constexpr (Reader::kFused && kScores > 0) {
      for (int s = 0; alive && s < count; ++s) {
        StoreOne(
            softmax(reader.Logit(s)) * (scores[s][threadIdx.x] - mean_score),
            gradients.logits + reader.first + s);
      }
    }
  }
}

template <typename value_t, typename Samples, typename Gradients>
struct BackwardProblem {
  CudaSizes sizes;
  CudaLevels levels;
  const value_t* grad_output;
  const value_t* value;
  Samples samples;
  float* grad_value;
  Gradients gradients;
  cudaStream_t stream;
};

template <int kVector, int kVectors, bool kExact, int kScores, typename Reader,
          typename value_t, typename Samples, typename Gradients>
cudaError_t Launch(
    const BackwardProblem<value_t, Samples, Gradients>& problem) {
  const dim3 grid(
      (problem.sizes.queries + kQueriesPerBlock - 1) / kQueriesPerBlock,
      std::min(problem.sizes.images_x_heads, kMaxGridY));
  return LaunchKernel(BackwardKernel<value_t, kVector, kVectors, kExact,
                                     kScores, Reader, Samples, Gradients>,
                      grid, dim3(kThreads), 0, problem.stream, problem.sizes,
                      problem.levels, problem.grad_output, problem.value,
                      problem.samples, problem.grad_value, problem.gradients);
}

// Picks the kernel of the gradients of samples.
template <typename Reader, typename value_t, typename Samples,
          typename Gradients>
cudaError_t LaunchSamples(
    const BackwardProblem<value_t, Samples, Gradients>& problem) {
  constexpr int kVector = 16 / sizeof(value_t);
  const int count = problem.sizes.levels * problem.sizes.points;
  const bool vectors =
      problem.sizes.head_dim % kVector == 0 && IsAligned(problem.value, 16) &&
      IsAligned(problem.grad_output, 16) && IsAligned(problem.grad_value, 16);
  if (!vectors) return Launch<1, 4, false, 0, Reader>(problem);
  if (problem.sizes.head_dim != 32) {
    return Launch<kVector, 8 / kVector, false, 0, Reader>(problem);
  }
  if constexpr (Reader::kFused) {
    if (count <= 16)
      return Launch<kVector, 8 / kVector, true, 16, Reader>(problem);
    if (count <= 40)
      return Launch<kVector, 8 / kVector, true, 40, Reader>(problem);
  }
  return Launch<kVector, 8 / kVector, true, 0, Reader>(problem);
}

template <typename Reader, typename value_t, typename Samples,
          typename Gradients>
cudaError_t Backward(const MsDeformAttnSizes& sizes,
                     const int64_t* level_shapes, const value_t* grad_output,
                     const value_t* value, const Samples& samples,
                     float* grad_value, const Gradients& gradients,
                     bool deterministic, cudaStream_t stream) {
  BackwardProblem<value_t, Samples, Gradients> problem = {
      {},        {},      grad_output,
      value,     samples, deterministic ? nullptr : grad_value,
      gradients, stream};
  const cudaError_t error =
      MakeCudaSizes(sizes, level_shapes, &problem.sizes, &problem.levels);
  if (error != cudaSuccess) return error;
  if (!FitsBatch(samples, sizes.batch)) return cudaErrorInvalidValue;
  if (!AreAligned(samples) || !AreAligned(gradients)) {
    return cudaErrorInvalidValue;
  }
  const int64_t values =
      sizes.batch * sizes.positions * sizes.heads * sizes.head_dim;
  if (deterministic && values > 0) {
    const cudaError_t owner_error =
        LaunchOwnerKernel(problem.sizes, problem.levels, grad_output, samples,
                          grad_value, stream);
    if (owner_error != cudaSuccess) return owner_error;
  } else if (values > 0) {
    const cudaError_t memset_error =
        cudaMemsetAsync(grad_value, 0, values * sizeof(float), stream);
    if (memset_error != cudaSuccess) return memset_error;
  }
  if (sizes.batch * sizes.queries * sizes.heads * sizes.levels * sizes.points ==
      0) {
    return cudaSuccess;
  }
  return LaunchSamples<Reader>(problem);
}

}  // namespace

template <typename value_t>
cudaError_t LaunchMsDeformAttnBackward(
    const MsDeformAttnSizes& sizes, const int64_t* level_shapes,
    const value_t* grad_output, const value_t* value,
    const PlainSamples& samples, float* grad_value,
    const PlainGradients& gradients, bool deterministic, cudaStream_t stream) {
  return Backward<PlainReader>(sizes, level_shapes, grad_output, value, samples,
                               grad_value, gradients, deterministic, stream);
}

template <typename value_t, typename raw_t>
cudaError_t LaunchMsDeformAttnFusedBackward(
    const MsDeformAttnSizes& sizes, const int64_t* level_shapes,
    const value_t* grad_output, const value_t* value,
    const FusedSamples<raw_t>& samples, float* grad_value,
    const FusedGradients<raw_t>& gradients, bool deterministic,
    cudaStream_t stream) {
  return Backward<FusedReader<raw_t>>(sizes, level_shapes, grad_output, value,
                                      samples, grad_value, gradients,
                                      deterministic, stream);
}

#define M2F_INSTANTIATE_PLAIN(value_t)                                    \
  template cudaError_t LaunchMsDeformAttnBackward(                        \
      const MsDeformAttnSizes&, const int64_t*, const value_t*,           \
      const value_t*, const PlainSamples&, float*, const PlainGradients&, \
      bool, cudaStream_t);
M2F_INSTANTIATE_PLAIN(float)
M2F_INSTANTIATE_PLAIN(Float16)
M2F_INSTANTIATE_PLAIN(BFloat16)
#undef M2F_INSTANTIATE_PLAIN

#define M2F_INSTANTIATE_FUSED(value_t, raw_t)                   \
  template cudaError_t LaunchMsDeformAttnFusedBackward(         \
      const MsDeformAttnSizes&, const int64_t*, const value_t*, \
      const value_t*, const FusedSamples<raw_t>&, float*,       \
      const FusedGradients<raw_t>&, bool, cudaStream_t);
M2F_INSTANTIATE_FUSED(float, float)
M2F_INSTANTIATE_FUSED(Float16, float)
M2F_INSTANTIATE_FUSED(Float16, Float16)
M2F_INSTANTIATE_FUSED(BFloat16, float)
M2F_INSTANTIATE_FUSED(BFloat16, BFloat16)
#undef M2F_INSTANTIATE_FUSED

}  // namespace mask2former::ops
