// The deterministic gradient of the values.
//
// Threads: a block is one warp and owns kStripe neighbouring pixels of one
// level, image and head, and 32 of its channels, one a thread. It goes through
// all samples of the level in the order of queries and points: each thread
// finds the corners of one sample, then the warp adds those samples that touch
// its pixels, one after another. Nobody else writes these pixels, so neither
// locks nor atomics are needed and the order of additions is fixed.
//
// Memory: the sums are in shared memory until the end; a thread meets no bank
// but its own.

#include <algorithm>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_owner_kernel.h"

namespace mask2former::ops {
namespace {

constexpr int kWarp = 32;
constexpr int kStripe = 128;
constexpr int kMaxGrid = 65535;

// One block's pixels: `size` of them from `first` on, within the level.
struct Stripe {
  int level;
  int first;
  int size;
};

// Stripes are numbered level by level.
__device__ Stripe FindStripe(const CudaSizes& sizes, const CudaLevels& levels,
                             int64_t stripe) {
  for (int l = 0; l < sizes.levels; ++l) {
    const int pixels = levels.height[l] * levels.width[l];
    const int stripes = (pixels + kStripe - 1) / kStripe;
    if (stripe < stripes) {
      const int first = static_cast<int>(stripe) * kStripe;
      return {l, first, min(kStripe, pixels - first)};
    }
    stripe -= stripes;
  }
  return {0, 0, 0};
}

template <typename Reader, typename value_t, typename Samples>
__global__ void __launch_bounds__(kWarp)
    OwnerKernel(const CudaSizes sizes, const CudaLevels levels,
                const value_t* __restrict__ grad_output, const Samples samples,
                float* grad_value) {
  __shared__ float sums[kStripe][kWarp];
  const int lane = threadIdx.x;
  const Stripe stripe = FindStripe(sizes, levels, blockIdx.x);
  const int height = levels.height[stripe.level];
  const int width = levels.width[stripe.level];
  const int count = sizes.levels * sizes.points;
  const int64_t all = int64_t{sizes.queries} * sizes.points;
  const int64_t pitch = int64_t{sizes.heads} * sizes.head_dim;

  for (int map = blockIdx.y; map < sizes.images_x_heads; map += gridDim.y) {
    const int image = map / sizes.heads;
    const int head = map - image * sizes.heads;
    for (int channel = blockIdx.z * kWarp + lane;
         channel - lane < sizes.head_dim; channel += gridDim.z * kWarp) {
      const bool live = channel < sizes.head_dim;
      for (int i = 0; i < stripe.size; ++i) sums[i][lane] = 0;
      for (int64_t first = 0; first < all; first += kWarp) {
        // Each thread its sample.
        int position = 0;  // Of the upper left corner, within the stripe.
        int inside = kNoTap;
        int query = 0;
        float weights[4] = {};
        if (first + lane < all) {
          query = static_cast<int>((first + lane) / sizes.points);
          const int p =
              static_cast<int>(first + lane - int64_t{query} * sizes.points);
          const Reader reader(samples, sizes, image, query, head, count);
          Softmax softmax;
          if (Reader::kFused) softmax = MakeOwnSoftmax(reader, count);
          const Sample sample = reader.At(stripe.level * sizes.points + p,
                                          stripe.level, height, width, softmax);
          const BilinearTaps<float> taps =
              MakeBilinearTaps(sample.y, sample.x, height, width);
          position = taps.first - stripe.first;
          for (int k = 0; k < 4; ++k) {
            const int pixel = position + k % 2 + k / 2 * width;
            if ((taps.inside >> k & 1) != 0 && pixel >= 0 &&
                pixel < stripe.size) {
              inside |= 1 << k;
            }
          }
          const float lower = sample.weight * taps.y;
          const float upper = sample.weight - lower;
          weights[3] = lower * taps.x;
          weights[2] = lower - weights[3];
          weights[1] = upper * taps.x;
          weights[0] = upper - weights[1];
        }
        // All threads those that touch the stripe.
        unsigned touching = __ballot_sync(kFullWarp, inside != kNoTap);
        while (touching != 0) {
          const int from = __ffs(static_cast<int>(touching)) - 1;
          touching &= touching - 1;
          const int from_query = __shfl_sync(kFullWarp, query, from);
          const int from_position = __shfl_sync(kFullWarp, position, from);
          const int from_inside = __shfl_sync(kFullWarp, inside, from);
          float grad = 0;
          if (live) {
            grad = ToFloat(grad_output[sizes.Cell(image, from_query, head) *
                                           sizes.head_dim +
                                       channel]);
          }
#pragma unroll
          for (int k = 0; k < 4; ++k) {
            const float weight = __shfl_sync(kFullWarp, weights[k], from);
            if ((from_inside >> k & 1) != 0) {
              sums[from_position + k % 2 + k / 2 * width][lane] +=
                  weight * grad;
            }
          }
        }
      }
      float* const own = grad_value + sizes.MapOffset(image, head) +
                         (levels.start[stripe.level] + stripe.first) * pitch +
                         channel;
      for (int i = 0; live && i < stripe.size; ++i) {
        own[i * pitch] = sums[i][lane];
      }
    }
  }
}

template <typename Samples>
struct ReaderOf {
  using Type = PlainReader;
};

template <typename raw_t>
struct ReaderOf<FusedSamples<raw_t>> {
  using Type = FusedReader<raw_t>;
};

}  // namespace

template <typename value_t, typename Samples>
cudaError_t LaunchOwnerKernel(const CudaSizes& sizes, const CudaLevels& levels,
                              const value_t* grad_output,
                              const Samples& samples, float* grad_value,
                              cudaStream_t stream) {
  int stripes = 0;
  for (int l = 0; l < sizes.levels; ++l) {
    stripes += (levels.height[l] * levels.width[l] - 1) / kStripe + 1;
  }
  const dim3 grid(stripes, std::min(sizes.images_x_heads, kMaxGrid),
                  std::min((sizes.head_dim + kWarp - 1) / kWarp, kMaxGrid));
  return LaunchKernel(
      OwnerKernel<typename ReaderOf<Samples>::Type, value_t, Samples>, grid,
      dim3(kWarp), 0, stream, sizes, levels, grad_output, samples, grad_value);
}

#define M2F_INSTANTIATE(value_t, Samples)                                     \
  template cudaError_t LaunchOwnerKernel(const CudaSizes&, const CudaLevels&, \
                                         const value_t*, const Samples&,      \
                                         float*, cudaStream_t);
M2F_INSTANTIATE(float, PlainSamples)
M2F_INSTANTIATE(Float16, PlainSamples)
M2F_INSTANTIATE(BFloat16, PlainSamples)
M2F_INSTANTIATE(float, FusedSamples<float>)
M2F_INSTANTIATE(Float16, FusedSamples<float>)
M2F_INSTANTIATE(Float16, FusedSamples<Float16>)
M2F_INSTANTIATE(BFloat16, FusedSamples<float>)
M2F_INSTANTIATE(BFloat16, FusedSamples<BFloat16>)
#undef M2F_INSTANTIATE

}  // namespace mask2former::ops
