#ifndef MASK2FORMER_COMMON_CUDA_MISSING_KERNELS_H_
#define MASK2FORMER_COMMON_CUDA_MISSING_KERNELS_H_

#include <string>
#include <vector>

namespace mask2former {

// What to tell who runs this build's kernels on a GPU that they were not
// compiled for: both by number, and the fix.
//
//   capability  compute capability times 10 of the GPU: 75 for a T4; 0: unknown
//   compiled    those that there is machine code for
//   ptx         that for which, and for later ones, there is PTX; 0: none
std::string MissingKernels(int capability, const std::vector<int>& compiled,
                           int ptx);

// Of this build, by tools/config/cuda_architectures.bzl.
std::string MissingKernels(int capability);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CUDA_MISSING_KERNELS_H_
