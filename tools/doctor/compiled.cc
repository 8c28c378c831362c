#include "mask2former/tools/doctor/compiled.h"

namespace mask2former {

CompiledFacts Compiled() {
  // Set by BUILD: "80, 90" and "90", or neither.
#ifdef MASK2FORMER_CUDA_ARCHITECTURES
  return {/*cuda=*/true,
          {MASK2FORMER_CUDA_ARCHITECTURES},
          MASK2FORMER_CUDA_PTX_ARCHITECTURE};
#else
  return {};
#endif
}

}  // namespace mask2former
