#include "mask2former/tools/cuda_emulation/runtime_api.h"

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

// Those of the smallest GPU that is compiled for, sm_80, with fewer
// multiprocessors so that grids sized by them stay small.
constexpr int kMultiprocessors = 4;

constexpr size_t kPage = 4096;
constexpr size_t kSparseBytes = size_t{1} << 30;

}  // namespace

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = 0;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  return device == 0 ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute,
                                   int device) {
  if (device != 0) return cudaErrorInvalidDevice;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = 1024;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = 48 << 10;
      return cudaSuccess;
    case cudaDevAttrWarpSize:
      *value = 32;
      return cudaSuccess;
    case cudaDevAttrMultiProcessorCount:
      *value = kMultiprocessors;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
      *value = 8;
      return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 0;
      return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = 163 << 10;
      return cudaSuccess;
  }
  return cudaErrorInvalidValue;
}

cudaError_t cudaDeviceSynchronize() { return cudaPeekAtLastError(); }

cudaError_t cudaStreamSynchronize(cudaStream_t /*stream*/) {
  return cudaPeekAtLastError();
}

cudaError_t cudaMalloc(void** pointer, size_t bytes) {
  *pointer = nullptr;
  if (bytes == 0) return cudaSuccess;
  // No more than asked for, so that AddressSanitizer sees the very next byte.
  if (posix_memalign(pointer, 256, bytes) != 0) {
    return cudaErrorMemoryAllocation;
  }
  std::memset(*pointer, 0xff, bytes);
  return cudaSuccess;
}

cudaError_t cudaMallocAsync(void** pointer, size_t bytes,
                            cudaStream_t /*stream*/) {
  return cudaMalloc(pointer, bytes);
}

cudaError_t cudaFree(void* pointer) {
  std::free(pointer);
  return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* pointer, cudaStream_t /*stream*/) {
  return cudaFree(pointer);
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes,
                       cudaMemcpyKind /*kind*/) {
  if (bytes > 0) std::memmove(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes,
                            cudaMemcpyKind kind, cudaStream_t /*stream*/) {
  return cudaMemcpy(to, from, bytes, kind);
}

cudaError_t cudaMemset(void* to, int byte, size_t bytes) {
  char* const begin = static_cast<char*>(to);
  char* const end = begin + bytes;
  if (byte == 0 && bytes >= kSparseBytes) {
    // Pages that are given back are zeros when they are next touched, and cost
    // nothing until then: tests of huge arrays touch few of them. Device memory
    // is anonymous, where this holds.
    char* const first = begin + (-reinterpret_cast<uintptr_t>(begin)) % kPage;
    char* const last = end - reinterpret_cast<uintptr_t>(end) % kPage;
    if (madvise(first, last - first, MADV_DONTNEED) == 0) {
      std::memset(begin, 0, first - begin);
      std::memset(last, 0, end - last);
      return cudaSuccess;
    }
  }
  if (bytes > 0) std::memset(to, byte, bytes);
  return cudaSuccess;
}

cudaError_t cudaMemsetAsync(void* to, int byte, size_t bytes,
                            cudaStream_t /*stream*/) {
  return cudaMemset(to, byte, bytes);
}
