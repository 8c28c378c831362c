#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_SAMPLE_KERNEL_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_SAMPLE_KERNEL_H_

#include <cuda_runtime_api.h>

#include <cstdint>

namespace mask2former {

// Small kernels that use every part of CUDA that is emulated, so that one test
// holds the emulation and a GPU to the same results. Pointers are to device
// memory.

// sums[b] = sum over block b's kBlockSumThreads values of input, which the last
// block has fewer of. By warp shuffles and static shared memory.
inline constexpr int kBlockSumThreads = 96;
template <typename T>
cudaError_t LaunchBlockSum(const T* input, int64_t count, T* sums,
                           cudaStream_t stream);

// output = input [rows, columns] transposed, by tiles in dynamic shared memory.
cudaError_t LaunchTranspose(const float* input, int rows, int columns,
                            float* output, cudaStream_t stream);

// histogram[v] += how often v is in values [count], which are below 8: one
// atomic per warp and value.
cudaError_t LaunchHistogram(const int* values, int count, int* histogram,
                            cudaStream_t stream);

// output[i] = x[i] / 3, in Float16 or BFloat16: both factors and the product
// are rounded.
template <typename Short>
cudaError_t LaunchRound(const float* x, int count, float* output,
                        cudaStream_t stream);

// output[i] = index of thread i of a grid of 2 x 3 x 2 blocks of 4 x 3 x 2
// threads, as blockIdx.z ... threadIdx.x in decimal digits; 288 of them.
cudaError_t LaunchIndices(int* output, cudaStream_t stream);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_SAMPLE_KERNEL_H_
