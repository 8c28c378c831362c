#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_SAMPLES_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_SAMPLES_H_

// What the forward and backward CUDA kernels share: the levels, how samples are
// read, vectors of channels. Include only in sources of kernels.

#include <cstdint>

#include "mask2former/common/cuda/exponential.h"
#include "mask2former/common/cuda/half.h"
#include "mask2former/common/cuda/launch.h"
#include "mask2former/pixel_decoder/ops/bilinear_taps.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_sizes.h"

namespace mask2former::ops {

inline constexpr int kThreads = 128;
inline constexpr unsigned kFullWarp = 0xffffffffu;

struct CudaLevels {
  int32_t height[kMaxCudaLevels];
  int32_t width[kMaxCudaLevels];
  int32_t start[kMaxCudaLevels];  // The level's first position.
};

// The sizes as kernels use them: 32-bit but where a product needs more.
struct CudaSizes {
  int32_t heads;           // M
  int32_t head_dim;        // D
  int32_t queries;         // Q
  int32_t levels;          // L
  int32_t points;          // P
  int32_t images_x_heads;  // B M
  int64_t positions;       // S

  // Of (image, query, head) among all; times L P, the first of its samples.
  M2F_HOST_DEVICE int64_t Cell(int32_t image, int32_t query,
                               int32_t head) const {
    return (int64_t{image} * queries + query) * heads + head;
  }
  // Numbers before the first channel of a head's position 0.
  M2F_HOST_DEVICE int64_t MapOffset(int32_t image, int32_t head) const {
    return (image * positions * heads + head) * head_dim;
  }
};

// Returns cudaErrorInvalidValue if a size is negative or past its limit, or the
// levels do not have S positions.
inline cudaError_t MakeCudaSizes(const MsDeformAttnSizes& sizes,
                                 const int64_t* level_shapes, CudaSizes* result,
                                 CudaLevels* levels) {
  for (const MsDeformAttnCudaLimit& limit : MsDeformAttnCudaLimits(sizes)) {
    if (limit.size < 0 || limit.size >= limit.limit) {
      return cudaErrorInvalidValue;
    }
  }
  if (sizes.levels < 1) return cudaErrorInvalidValue;
  int64_t start = 0;
  for (int64_t l = 0; l < sizes.levels; ++l) {
    const int64_t height = level_shapes[2 * l];
    const int64_t width = level_shapes[2 * l + 1];
    if (height < 1 || width < 1 || height > INT32_MAX || width > INT32_MAX ||
        start + height * width > sizes.positions) {
      return cudaErrorInvalidValue;
    }
    levels->height[l] = static_cast<int32_t>(height);
    levels->width[l] = static_cast<int32_t>(width);
    levels->start[l] = static_cast<int32_t>(start);
    start += height * width;
  }
  if (start != sizes.positions) return cudaErrorInvalidValue;
  *result = {static_cast<int32_t>(sizes.heads),
             static_cast<int32_t>(sizes.head_dim),
             static_cast<int32_t>(sizes.queries),
             static_cast<int32_t>(sizes.levels),
             static_cast<int32_t>(sizes.points),
             static_cast<int32_t>(sizes.batch * sizes.heads),
             sizes.positions};
  return cudaSuccess;
}

inline bool IsAligned(const void* pointer, size_t bytes) {
  return reinterpret_cast<uintptr_t>(pointer) % bytes == 0;
}

// kCount neighbouring numbers, moved by one instruction.
template <typename T, int kCount>
struct alignas(sizeof(T) * kCount) Pack {
  T at[kCount];
};

// pointer + count * pitch, in bytes; one instruction on a GPU.
M2F_HOST_DEVICE inline const char* Advance(const char* pointer, int32_t count,
                                           int32_t pitch) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  const char* result;
  asm("mad.wide.s32 %0, %1, %2, %3;"
      : "=l"(result)
      : "r"(count), "r"(pitch), "l"(pointer));
  __builtin_assume(__isGlobal(result));
  return result;
#else
  return pointer + int64_t{count} * pitch;
#endif
}

M2F_HOST_DEVICE inline void ToFloats(const Pack<float, 1>& pack,
                                     float* floats) {
  floats[0] = pack.at[0];
}

M2F_HOST_DEVICE inline void ToFloats(const Pack<float, 4>& pack,
                                     float* floats) {
  for (int i = 0; i < 4; ++i) floats[i] = pack.at[i];
}

template <typename T>
M2F_HOST_DEVICE inline void ToFloats(const Pack<T, 1>& pack, float* floats) {
  floats[0] = ToFloat(pack.at[0]);
}

template <typename T>
M2F_HOST_DEVICE inline void ToFloats(const Pack<T, 8>& pack, float* floats) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  // By words, for one instruction a number.
  const uint4 words = reinterpret_cast<const uint4&>(pack);
  const uint32_t pairs[4] = {words.x, words.y, words.z, words.w};
#pragma unroll
  for (int i = 0; i < 4; ++i) PairToFloats(T{}, pairs[i], floats + 2 * i);
#else
  for (int i = 0; i < 8; ++i) floats[i] = ToFloat(pack.at[i]);
#endif
}

template <typename T>
M2F_HOST_DEVICE inline float2 LoadPair(const T* pointer) {
  const auto pair = *reinterpret_cast<const Pack<T, 2>*>(pointer);
  return {ToFloat(pair.at[0]), ToFloat(pair.at[1])};
}

template <typename T>
M2F_HOST_DEVICE inline void StorePair(float x, float y, T* pointer) {
  *reinterpret_cast<Pack<T, 2>*>(pointer) = {
      {FromFloat<T>(x), FromFloat<T>(y)}};
}

template <typename T>
M2F_HOST_DEVICE inline void StoreOne(float x, T* pointer) {
  *pointer = FromFloat<T>(x);
}

// What turns a cell's logits into weights.
struct Softmax {
  float maximum = 0;
  float scale = 0;  // One over the sum of exponentials.

  M2F_HOST_DEVICE float operator()(float logit) const {
    return Exponential(logit - maximum) * scale;
  }
};

// A sample, in pixels of its level.
struct Sample {
  float x, y, weight;
};

// The samples of one cell. `At` reads sample s, which is on level l.
struct PlainReader {
  using Gradients = PlainGradients;
  static constexpr bool kFused = false;

  M2F_HOST_DEVICE PlainReader(const PlainSamples& samples,
                              const CudaSizes& sizes, int32_t image,
                              int32_t query, int32_t head, int32_t count)
      : first(sizes.Cell(image, query, head) * count),
        locations(samples.locations + 2 * first),
        weights(samples.weights + first) {}

  M2F_HOST_DEVICE float Logit(int32_t /*s*/) const { return 0; }

  M2F_HOST_DEVICE Sample At(int32_t s, int32_t /*l*/, int32_t height,
                            int32_t width, const Softmax& /*softmax*/) const {
    const float2 location = LoadPair(locations + 2 * s);
    return {location.x * static_cast<float>(width) - 0.5f,
            location.y * static_cast<float>(height) - 0.5f, weights[s]};
  }

  int64_t first;
  const float* locations;
  const float* weights;
};

template <typename raw_t>
struct FusedReader {
  using Gradients = FusedGradients<raw_t>;
  static constexpr bool kFused = true;

  M2F_HOST_DEVICE FusedReader(const FusedSamples<raw_t>& samples,
                              const CudaSizes& sizes, int32_t image,
                              int32_t query, int32_t head, int32_t count)
      : first(sizes.Cell(image, query, head) * count),
        reference(
            samples.reference_points +
            (int64_t{samples.reference_batch == 1 ? 0 : image} * sizes.queries +
             query) *
                sizes.levels * 2),
        offsets(samples.offsets + 2 * first),
        logits(samples.logits + first) {}

  M2F_HOST_DEVICE float Logit(int32_t s) const { return ToFloat(logits[s]); }

  M2F_HOST_DEVICE Sample At(int32_t s, int32_t l, int32_t height, int32_t width,
                            const Softmax& softmax) const {
    const float2 point = LoadPair(reference + 2 * l);
    const float2 offset = LoadPair(offsets + 2 * s);
    return {point.x * static_cast<float>(width) + (offset.x - 0.5f),
            point.y * static_cast<float>(height) + (offset.y - 0.5f),
            softmax(Logit(s))};
  }

  int64_t first;
  const float* reference;
  const raw_t* offsets;
  const raw_t* logits;
};

inline bool AreAligned(const PlainSamples& samples) {
  return IsAligned(samples.locations, 2 * sizeof(float));
}

template <typename raw_t>
bool AreAligned(const FusedSamples<raw_t>& samples) {
  return IsAligned(samples.offsets, 2 * sizeof(raw_t)) &&
         IsAligned(samples.reference_points, 2 * sizeof(float));
}

// A cell's softmax, by one thread.
template <typename Reader>
M2F_HOST_DEVICE inline Softmax MakeOwnSoftmax(const Reader& reader, int count) {
  Softmax softmax;
  float maximum = -INFINITY;
  for (int s = 0; s < count; ++s) maximum = fmaxf(maximum, reader.Logit(s));
  float sum = 0;
  for (int s = 0; s < count; ++s) sum += Exponential(reader.Logit(s) - maximum);
  softmax.maximum = maximum;
  softmax.scale = Reciprocal(sum);
  return softmax;
}

// Whether reference points are there for every image.
inline bool FitsBatch(const PlainSamples& /*samples*/, int64_t /*batch*/) {
  return true;
}

template <typename raw_t>
bool FitsBatch(const FusedSamples<raw_t>& samples, int64_t batch) {
  return samples.reference_batch == 1 || samples.reference_batch == batch;
}

inline bool AreAligned(const PlainGradients& gradients) {
  return IsAligned(gradients.locations, 2 * sizeof(float));
}

template <typename raw_t>
bool AreAligned(const FusedGradients<raw_t>& gradients) {
  return IsAligned(gradients.offsets, 2 * sizeof(raw_t));
}

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_SAMPLES_H_
