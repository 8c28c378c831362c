#ifndef MASK2FORMER_COMMON_CUDA_EXPONENTIAL_H_
#define MASK2FORMER_COMMON_CUDA_EXPONENTIAL_H_

// What a softmax needs in kernels, in a GPU's approximations.

#include <cmath>

#include "mask2former/common/cuda/host_device.h"

namespace mask2former {

// The exponential function for x <= 0, to within 2^-21 of the largest result,
// which is 1; two instructions on a GPU.
M2F_HOST_DEVICE inline float Exponential(float x) {
  constexpr float kLog2E = 1.44269504f;
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x * kLog2E));
  return result;
#else
  return exp2f(x * kLog2E);
#endif
}

// One over a sum of exponentials; one instruction on a GPU.
M2F_HOST_DEVICE inline float Reciprocal(float x) {
#if defined(__CUDACC__) && defined(__CUDA_ARCH__)
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(x));
  return result;
#else
  return 1.0f / x;
#endif
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CUDA_EXPONENTIAL_H_
