#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_INCLUDE_CUDA_RUNTIME_API_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_INCLUDE_CUDA_RUNTIME_API_H_

// Stands in for CUDA's header of the name in an emulated build.

#include "mask2former/tools/cuda_emulation/runtime_api.h"  // IWYU pragma: export

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_INCLUDE_CUDA_RUNTIME_API_H_
