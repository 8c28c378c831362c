#ifndef MASK2FORMER_COMMON_CUDA_DYNAMIC_SHARED_MEMORY_H_
#define MASK2FORMER_COMMON_CUDA_DYNAMIC_SHARED_MEMORY_H_

#include <cuda_runtime.h>

namespace mask2former {

// The block's dynamic shared memory, of the size that LaunchKernel() was given,
// aligned to 16 bytes. For kernels to call, in place of a declaration
// `extern __shared__ T name[]`: that cannot be emulated, and breaks where two
// templates declare one name with two types.
template <typename T>
__device__ T* DynamicSharedMemory() {
  static_assert(alignof(T) <= 16);
#if defined(__CUDACC__)
  extern __shared__ __align__(16) unsigned char dynamic_shared_memory[];
  return reinterpret_cast<T*>(dynamic_shared_memory);
#else
  return static_cast<T*>(DynamicSharedMemoryOfBlock());
#endif
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CUDA_DYNAMIC_SHARED_MEMORY_H_
