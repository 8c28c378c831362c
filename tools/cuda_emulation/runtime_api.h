#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_RUNTIME_API_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_RUNTIME_API_H_

// What launch functions and tests call of CUDA's runtime. Device memory is heap
// memory, so AddressSanitizer watches its bounds; everything is done at once,
// so streams are names only. Add a function here when a kernel needs it; its
// meaning is CUDA's manual's.

#include <cstddef>
#include <type_traits>
#include <utility>

#include "mask2former/tools/cuda_emulation/vector_types.h"

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorInvalidConfiguration = 9,
  cudaErrorNoDevice = 100,
  cudaErrorInvalidDevice = 101,
  cudaErrorLaunchFailure = 719,
};

enum cudaMemcpyKind {
  cudaMemcpyHostToHost,
  cudaMemcpyHostToDevice,
  cudaMemcpyDeviceToHost,
  cudaMemcpyDeviceToDevice,
  cudaMemcpyDefault,
};

enum cudaFuncAttribute {
  cudaFuncAttributeMaxDynamicSharedMemorySize = 8,
  cudaFuncAttributePreferredSharedMemoryCarveout = 9,
};

enum cudaDeviceAttr {
  cudaDevAttrMaxThreadsPerBlock = 1,
  cudaDevAttrMaxSharedMemoryPerBlock = 8,
  cudaDevAttrWarpSize = 10,
  cudaDevAttrMultiProcessorCount = 16,
  cudaDevAttrComputeCapabilityMajor = 75,
  cudaDevAttrComputeCapabilityMinor = 76,
  cudaDevAttrMaxSharedMemoryPerBlockOptin = 97,
};

using cudaStream_t = struct CUstream_st*;

// No attribute is known; their count must be 0.
struct cudaLaunchConfig_t {
  dim3 gridDim;
  dim3 blockDim;
  size_t dynamicSmemBytes;
  cudaStream_t stream;
  void* attrs;
  unsigned numAttrs;
};

cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();
const char* cudaGetErrorName(cudaError_t error);
// For cudaErrorLaunchFailure, what the latest such launch did wrong.
const char* cudaGetErrorString(cudaError_t error);

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDevice(int* device);
cudaError_t cudaSetDevice(int device);
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute,
                                   int device);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaStreamSynchronize(cudaStream_t stream);

// Memory begins as bytes 0xff: NaN in every floating-point type.
cudaError_t cudaMalloc(void** pointer, size_t bytes);
cudaError_t cudaMallocAsync(void** pointer, size_t bytes, cudaStream_t stream);
cudaError_t cudaFree(void* pointer);
cudaError_t cudaFreeAsync(void* pointer, cudaStream_t stream);
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes,
                       cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t stream = nullptr);
cudaError_t cudaMemset(void* to, int byte, size_t bytes);
cudaError_t cudaMemsetAsync(void* to, int byte, size_t bytes,
                            cudaStream_t stream = nullptr);

template <typename T>
cudaError_t cudaMalloc(T** pointer, size_t bytes) {
  return cudaMalloc(reinterpret_cast<void**>(pointer), bytes);
}

template <typename T>
cudaError_t cudaMallocAsync(T** pointer, size_t bytes, cudaStream_t stream) {
  return cudaMallocAsync(reinterpret_cast<void**>(pointer), bytes, stream);
}

namespace mask2former {

cudaError_t SetFunctionAttribute(const void* kernel,
                                 cudaFuncAttribute attribute, int value);

// Two blocks to a multiprocessor, or why none would start.
cudaError_t CountActiveBlocks(int* blocks, const void* kernel, int threads,
                              size_t shared_bytes);

// Runs call(argument) in every thread of the grid.
cudaError_t RunGrid(const cudaLaunchConfig_t& config, const void* kernel,
                    void (*call)(void*), void* argument);

template <typename... Parameters, typename Call>
cudaError_t RunKernel(const cudaLaunchConfig_t& config,
                      void (*kernel)(Parameters...), Call call) {
  return RunGrid(
      config, reinterpret_cast<const void*>(kernel),
      [](void* argument) { (*static_cast<Call*>(argument))(); }, &call);
}

}  // namespace mask2former

template <typename Function>
cudaError_t cudaFuncSetAttribute(Function* kernel, cudaFuncAttribute attribute,
                                 int value) {
  return mask2former::SetFunctionAttribute(
      reinterpret_cast<const void*>(kernel), attribute, value);
}

template <typename Function>
cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks,
                                                          Function* kernel,
                                                          int threads,
                                                          size_t shared_bytes) {
  return mask2former::CountActiveBlocks(
      blocks, reinterpret_cast<const void*>(kernel), threads, shared_bytes);
}

template <typename... Parameters, typename... Arguments>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config,
                               void (*kernel)(Parameters...),
                               Arguments&&... arguments) {
  return [&](const std::decay_t<Parameters>... converted) {
    return mask2former::RunKernel(*config, kernel,
                                  [&] { kernel(converted...); });
  }(std::forward<Arguments>(arguments)...);
}

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_RUNTIME_API_H_
