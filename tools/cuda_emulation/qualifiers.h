#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_QUALIFIERS_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_QUALIFIERS_H_

// CUDA's additions to C++, as far as a compiler without them can be told.

#define __global__
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __noinline__ __attribute__((noinline))
#define __align__(bytes) alignas(bytes)
#define __launch_bounds__(...)
#define __grid_constant__

// The section's variables are refilled before each block. Only this attribute
// takes effect in templates, too; it asks for GCC 11 or newer.
#define __shared__ static __attribute__((noinit))

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_QUALIFIERS_H_
