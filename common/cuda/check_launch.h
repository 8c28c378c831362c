#ifndef MASK2FORMER_COMMON_CUDA_CHECK_LAUNCH_H_
#define MASK2FORMER_COMMON_CUDA_CHECK_LAUNCH_H_

#include <c10/cuda/CUDAException.h>
#include <c10/util/Exception.h>
#include <cuda_runtime_api.h>

#include "mask2former/common/cuda/missing_kernels.h"

namespace mask2former {

// Throws c10::Error if what launched this build's kernels returned an error:
// as C10_CUDA_CHECK, but for a GPU that they were not compiled for, of which
// CUDA says no more than that there is no image.
inline void CheckLaunch(cudaError_t error) {
  if (error == cudaErrorNoKernelImageForDevice) {
    cudaGetLastError();  // Else the next check would find it.
    int device = 0, major = 0, minor = 0;
    cudaGetDevice(&device);
    cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device);
    cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device);
    TORCH_CHECK(false, MissingKernels(10 * major + minor));
  }
  C10_CUDA_CHECK(error);
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CUDA_CHECK_LAUNCH_H_
