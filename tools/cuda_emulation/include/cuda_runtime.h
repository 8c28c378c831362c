#ifndef MASK2FORMER_TOOLS_CUDA_EMULATION_INCLUDE_CUDA_RUNTIME_H_
#define MASK2FORMER_TOOLS_CUDA_EMULATION_INCLUDE_CUDA_RUNTIME_H_

// Stands in for CUDA's header of the name in an emulated build.

#include "mask2former/tools/cuda_emulation/atomic_functions.h"  // IWYU pragma: export
#include "mask2former/tools/cuda_emulation/block.h"  // IWYU pragma: export
#include "mask2former/tools/cuda_emulation/math_functions.h"  // IWYU pragma: export
#include "mask2former/tools/cuda_emulation/qualifiers.h"  // IWYU pragma: export
#include "mask2former/tools/cuda_emulation/runtime_api.h"  // IWYU pragma: export
#include "mask2former/tools/cuda_emulation/shared_memory.h"  // IWYU pragma: export
#include "mask2former/tools/cuda_emulation/vector_types.h"  // IWYU pragma: export
#include "mask2former/tools/cuda_emulation/warp_functions.h"  // IWYU pragma: export

#endif  // MASK2FORMER_TOOLS_CUDA_EMULATION_INCLUDE_CUDA_RUNTIME_H_
