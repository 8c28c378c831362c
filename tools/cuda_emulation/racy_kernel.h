#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_RACY_KERNEL_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_RACY_KERNEL_H_

#include <cuda_runtime_api.h>

namespace mask2former {

// Kernels with a race each, and the same without, for race_detector_test.
// `values` has 64 elements.

// Every thread adds to values[0].
cudaError_t LaunchSum(int* values, int blocks, int threads, bool atomic);

// Every thread i of 64 writes shared[i] and then, in this order or none, reads
// shared[i ^ distance].
enum class Order { kNone, kShuffle, kWarp, kBlock };
cudaError_t LaunchNeighbour(int* values, int distance, Order order);

// Both threads of a pair write their half of a word.
cudaError_t LaunchHalfWords(int* values);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_RACY_KERNEL_H_
