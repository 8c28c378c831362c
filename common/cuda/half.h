#ifndef MASK2FORMER_COMMON_CUDA_HALF_H_
#define MASK2FORMER_COMMON_CUDA_HALF_H_

// Sixteen-bit floating point numbers as memory holds them, for kernels that
// compute in float. They have the layout of __half and __nv_bfloat16 (and of
// c10::Half and c10::BFloat16) without their headers, so that kernels compile
// fast and also without a CUDA toolkit.

#include <cstdint>
#include <cstring>

#include "mask2former/common/cuda/host_device.h"

namespace mask2former {

struct Float16 {
  uint16_t bits;
};

struct BFloat16 {
  uint16_t bits;
};

M2F_HOST_DEVICE inline float FloatOfBits(uint32_t bits) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
#endif
}

M2F_HOST_DEVICE inline uint32_t BitsOfFloat(float value) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  return __float_as_uint(value);
#else
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
#endif
}

M2F_HOST_DEVICE inline float ToFloat(float value) { return value; }

M2F_HOST_DEVICE inline float ToFloat(BFloat16 value) {
  return FloatOfBits(uint32_t{value.bits} << 16);
}

M2F_HOST_DEVICE inline float ToFloat(Float16 value) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  float result;
  asm("cvt.f32.f16 %0, %1;" : "=f"(result) : "h"(value.bits));
  return result;
#else
  const uint32_t sign = uint32_t{value.bits} >> 15 << 31;
  const uint32_t rest = value.bits & 0x7fffu;
  if (rest >= 0x7c00u) {  // Infinity or NaN.
    return FloatOfBits(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
  }
  if (rest >= 0x400u) return FloatOfBits(sign | ((rest << 13) + 0x38000000u));
  const float magnitude = static_cast<float>(rest) * 0x1p-24f;  // Subnormal.
  return FloatOfBits(sign | BitsOfFloat(magnitude));
#endif
}

#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
// The two numbers of a word, the lower half first.
__device__ inline void PairToFloats(BFloat16 /*type*/, uint32_t pair,
                                    float* floats) {
  floats[0] = __uint_as_float(pair << 16);
  floats[1] = __uint_as_float(pair & 0xffff0000u);
}

__device__ inline void PairToFloats(Float16 /*type*/, uint32_t pair,
                                    float* floats) {
  asm("{.reg .b16 low, high;\n"
      " mov.b32 {low, high}, %2;\n"
      " cvt.f32.f16 %0, low;\n"
      " cvt.f32.f16 %1, high;}"
      : "=f"(floats[0]), "=f"(floats[1])
      : "r"(pair));
}
#endif

// FromFloat<T>() rounds to the nearest T, ties to even; what is too large
// becomes infinite, NaN stays NaN.
template <typename T>
M2F_HOST_DEVICE inline T FromFloat(float value);

template <>
M2F_HOST_DEVICE inline float FromFloat<float>(float value) {
  return value;
}

template <>
M2F_HOST_DEVICE inline BFloat16 FromFloat<BFloat16>(float value) {
  // Older GPUs have no such instruction.
#if defined(__CUDACC__) && defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  BFloat16 result;
  asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
#else
  const uint32_t bits = BitsOfFloat(value);
  if (value != value) return {static_cast<uint16_t>(bits >> 16 | 0x40u)};
  return {static_cast<uint16_t>((bits + 0x7fffu + (bits >> 16 & 1)) >> 16)};
#endif
}

template <>
M2F_HOST_DEVICE inline Float16 FromFloat<Float16>(float value) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  Float16 result;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
  return result;
#else
  const uint32_t bits = BitsOfFloat(value);
  const uint32_t sign = bits >> 16 & 0x8000u;
  const uint32_t rest = bits & 0x7fffffffu;
  uint32_t half;
  if (rest > 0x7f800000u) {
    half = 0x7e00u;
  } else if (rest >= 0x477ff000u) {  // 65520 and more.
    half = 0x7c00u;
  } else if (rest >= 0x38800000u) {  // Normal.
    half = (rest - 0x38000000u + 0xfffu + (rest >> 13 & 1)) >> 13;
  } else {
    // Adding 1/2 leaves multiples of 2^-24 in the lowest bits, well rounded.
    half = BitsOfFloat(FloatOfBits(rest) + 0.5f) - 0x3f000000u;
  }
  return {static_cast<uint16_t>(sign | half)};
#endif
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CUDA_HALF_H_
