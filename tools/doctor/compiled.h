#ifndef MASK2FORMER_TOOLS_DOCTOR_COMPILED_H_
#define MASK2FORMER_TOOLS_DOCTOR_COMPILED_H_

#include "mask2former/tools/doctor/facts.h"

namespace mask2former {

// What tools/config/cuda_architectures.bzl said when this binary was built, or
// nothing in a build without --config=cuda.
CompiledFacts Compiled();

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_DOCTOR_COMPILED_H_
