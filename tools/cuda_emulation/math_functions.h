#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_MATH_FUNCTIONS_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_MATH_FUNCTIONS_H_

// CUDA's arithmetic that C's mathematics lacks. A GPU's approximations
// (__expf, rsqrtf ...) are exact here, to the last bit or two.

#include <math.h>  // Its names in the global namespace, as on a GPU.

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace mask2former {

template <typename To, typename From>
To BitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof(to));
  return to;
}

// As a GPU converts: values outside are clamped, NaN is 0.
template <typename To, typename From>
To ConvertClamped(From whole) {
  if (std::isnan(whole)) return 0;
  // 2^31 or the like, exact in floating point, unlike max().
  const From above = std::ldexp(From(1), std::numeric_limits<To>::digits);
  if (whole >= above) return std::numeric_limits<To>::max();
  if (whole < static_cast<From>(std::numeric_limits<To>::min())) {
    return std::numeric_limits<To>::min();
  }
  return static_cast<To>(whole);
}

}  // namespace mask2former

// NOLINTBEGIN(google-runtime-int): CUDA's own types.
#define M2F_MIN_MAX(T)                                \
  constexpr T min(T a, T b) { return b < a ? b : a; } \
  constexpr T max(T a, T b) { return a < b ? b : a; }
M2F_MIN_MAX(int)
M2F_MIN_MAX(unsigned)
M2F_MIN_MAX(long)
M2F_MIN_MAX(unsigned long)
M2F_MIN_MAX(long long)
M2F_MIN_MAX(unsigned long long)
#undef M2F_MIN_MAX
// Of a number and NaN, the number.
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline float __frcp_rn(float x) { return 1 / x; }
inline float __fsqrt_rn(float x) { return sqrtf(x); }
inline float __frsqrt_rn(float x) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(x)));
}
inline float rsqrtf(float x) { return __frsqrt_rn(x); }
inline double rsqrt(double x) { return 1 / std::sqrt(x); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline float __saturatef(float x) { return x > 0 ? (x < 1 ? x : 1) : 0; }

inline int __float2int_rd(float x) {
  return mask2former::ConvertClamped<int>(std::floor(x));
}
inline int __float2int_ru(float x) {
  return mask2former::ConvertClamped<int>(std::ceil(x));
}
inline int __float2int_rz(float x) {
  return mask2former::ConvertClamped<int>(std::trunc(x));
}
inline int __float2int_rn(float x) {
  return mask2former::ConvertClamped<int>(std::nearbyint(x));
}
inline unsigned __float2uint_rz(float x) {
  return mask2former::ConvertClamped<unsigned>(std::trunc(x));
}
inline long long __float2ll_rn(float x) {
  return mask2former::ConvertClamped<long long>(std::nearbyint(x));
}
inline long long __double2ll_rn(double x) {
  return mask2former::ConvertClamped<long long>(std::nearbyint(x));
}
inline int __double2int_rd(double x) {
  return mask2former::ConvertClamped<int>(std::floor(x));
}
inline float __int2float_rn(int x) { return static_cast<float>(x); }
inline float __uint2float_rn(unsigned x) { return static_cast<float>(x); }
inline double __ll2double_rn(long long x) { return static_cast<double>(x); }
inline float __ll2float_rn(long long x) { return static_cast<float>(x); }
inline float __double2float_rn(double x) { return static_cast<float>(x); }

inline int __float_as_int(float x) { return mask2former::BitCast<int>(x); }
inline float __int_as_float(int x) { return mask2former::BitCast<float>(x); }
inline unsigned __float_as_uint(float x) {
  return mask2former::BitCast<unsigned>(x);
}
inline float __uint_as_float(unsigned x) {
  return mask2former::BitCast<float>(x);
}
inline long long __double_as_longlong(double x) {
  return mask2former::BitCast<long long>(x);
}
inline double __longlong_as_double(long long x) {
  return mask2former::BitCast<double>(x);
}

inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline int __ffsll(long long x) { return __builtin_ffsll(x); }
inline int __clz(int x) {
  return x == 0 ? 32 : __builtin_clz(static_cast<unsigned>(x));
}
inline int __clzll(long long x) {
  return x == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(x));
}
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>(uint64_t{a} * b >> 32);
}
inline unsigned __byte_perm(unsigned low, unsigned high, unsigned selector) {
  const uint64_t bytes = uint64_t{high} << 32 | low;
  unsigned result = 0;
  for (int i = 0; i < 4; ++i) {
    const unsigned nibble = selector >> 4 * i & 0xf;
    const auto byte = static_cast<unsigned>(bytes >> 8 * (nibble & 7) & 0xff);
    // The nibble's upper bit asks for the byte's sign instead.
    result |= ((nibble & 8) != 0 ? (byte >> 7) * 0xff : byte) << 8 * i;
  }
  return result;
}

// Loads and stores with a hint for the caches.
template <typename T>
T __ldg(const T* address) {
  return *address;
}
template <typename T>
T __ldcs(const T* address) {
  return *address;
}
template <typename T>
T __ldcg(const T* address) {
  return *address;
}
template <typename T>
void __stcs(T* address, T value) {
  *address = value;
}
template <typename T>
void __stcg(T* address, T value) {
  *address = value;
}

inline void __threadfence() {}
inline void __threadfence_block() {}
[[noreturn]] inline void __trap() { __builtin_trap(); }
// NOLINTEND

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_MATH_FUNCTIONS_H_
