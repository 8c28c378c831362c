#ifndef MASK2FORMER_COMMON_CUDA_HOST_DEVICE_H_
#define MASK2FORMER_COMMON_CUDA_HOST_DEVICE_H_

// Marks a function that a CPU kernel and a CUDA kernel share.
#if defined(__CUDACC__)
#define M2F_HOST_DEVICE __host__ __device__
#else
#define M2F_HOST_DEVICE
#endif

#endif  // MASK2FORMER_COMMON_CUDA_HOST_DEVICE_H_
