#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_INCLUDE_CUDA_FP16_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_INCLUDE_CUDA_FP16_H_

// Stands in for CUDA's header of the name in an emulated build.

#include "mask2former/tools/cuda_emulation/atomic_functions.h"
#include "mask2former/tools/cuda_emulation/short_float.h"
#include "mask2former/tools/cuda_emulation/vector_types.h"

using __half = mask2former::ShortFloat<10>;
using __half2 = mask2former::ShortFloat2<10>;
using half = __half;
using half2 = __half2;

inline __half __float2half(float x) { return x; }
inline __half __float2half_rn(float x) { return x; }
inline __half __double2half(double x) { return x; }
inline float __half2float(__half x) { return x; }
inline unsigned short __half_as_ushort(__half x) { return x.bits(); }
inline __half __ushort_as_half(unsigned short bits) {
  return __half::FromBits(bits);
}

inline __half2 __halves2half2(__half x, __half y) { return {x, y}; }
inline __half2 __half2half2(__half x) { return {x, x}; }
inline __half2 __float2half2_rn(float x) { return {x, x}; }
inline __half2 __floats2half2_rn(float x, float y) { return {x, y}; }
inline __half2 __float22half2_rn(float2 v) { return {v.x, v.y}; }
inline float2 __half22float2(__half2 v) { return {v.x, v.y}; }
inline float __low2float(__half2 v) { return v.x; }
inline float __high2float(__half2 v) { return v.y; }
inline __half __low2half(__half2 v) { return v.x; }
inline __half __high2half(__half2 v) { return v.y; }

inline __half __hadd(__half a, __half b) { return a + b; }
inline __half __hsub(__half a, __half b) { return a - b; }
inline __half __hmul(__half a, __half b) { return a * b; }
inline __half __hfma(__half a, __half b, __half c) {
  return mask2former::FusedMultiplyAdd(a, b, c);
}
inline __half2 __hadd2(__half2 a, __half2 b) { return {a.x + b.x, a.y + b.y}; }
inline __half2 __hsub2(__half2 a, __half2 b) { return {a.x - b.x, a.y - b.y}; }
inline __half2 __hmul2(__half2 a, __half2 b) { return {a.x * b.x, a.y * b.y}; }
inline __half2 __hfma2(__half2 a, __half2 b, __half2 c) {
  return {__hfma(a.x, b.x, c.x), __hfma(a.y, b.y, c.y)};
}

inline __half atomicAdd(__half* address, __half value) {
  return mask2former::ChangeAtomically(
      address, [value](__half old) { return old + value; });
}

inline __half2 atomicAdd(__half2* address, __half2 value) {
  return mask2former::ChangeAtomically(
      address, [value](__half2 old) { return __hadd2(old, value); });
}

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_INCLUDE_CUDA_FP16_H_
