#ifndef MASK2FORMER_COMMON_CUDA_LAUNCH_H_
#define MASK2FORMER_COMMON_CUDA_LAUNCH_H_

#include <cuda_runtime.h>

#include <utility>

namespace mask2former {

// Queues kernel<<<grid, block, shared_bytes, stream>>>(arguments...), written
// so that any C++ compiler reads it: emulated builds (//tools/cuda_emulation)
// compile the same .cu file without CUDA.
//
// Returns the launch's error; says nothing about the run.
template <typename... Parameters, typename... Arguments>
cudaError_t LaunchKernel(void (*kernel)(Parameters...), dim3 grid, dim3 block,
                         size_t shared_bytes, cudaStream_t stream,
                         Arguments&&... arguments) {
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  return cudaLaunchKernelEx(&config, kernel,
                            std::forward<Arguments>(arguments)...);
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CUDA_LAUNCH_H_
