#ifndef MASK2FORMER_TOOLS_DOCTOR_DIAGNOSE_H_
#define MASK2FORMER_TOOLS_DOCTOR_DIAGNOSE_H_

#include <string>
#include <vector>

#include "mask2former/tools/doctor/facts.h"

namespace mask2former {

// Something that does not fit, and what to do about it.
struct Finding {
  // A problem will end in wrong results, an error or a crash; a note costs
  // speed or is worth knowing.
  enum class Severity { kNote, kProblem };

  Severity severity = Severity::kProblem;
  std::string what;
  std::string fix;
};

// How kernels reach a GPU.
enum class KernelCode { kMachineCode, kPtx, kMissing };

// Machine code runs on GPUs of its own major capability and the same or a
// higher minor one; PTX on all later ones.
KernelCode CodeFor(const CompiledFacts& compiled, int capability);

// "8.6" for 86.
std::string CapabilityName(int capability);

// "13.0" for 13000, CUDA's way to number its versions.
std::string CudaVersionName(int version);

// Everything in `facts` that does not fit together, problems first. Empty on a
// sound machine. A build without CUDA is sound without a GPU.
std::vector<Finding> Diagnose(const Facts& facts);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_DOCTOR_DIAGNOSE_H_
