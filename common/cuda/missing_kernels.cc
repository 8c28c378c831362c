#include "mask2former/common/cuda/missing_kernels.h"

namespace mask2former {
namespace {

// "7.5" of 75.
std::string Name(int capability) {
  return std::to_string(capability / 10) + "." +
         std::to_string(capability % 10);
}

}  // namespace

std::string MissingKernels(int capability, const std::vector<int>& compiled,
                           int ptx) {
  std::string text = "the GPU has compute capability " +
                     (capability > 0 ? Name(capability) : "unknown") +
                     ", this build has kernels for ";
  for (size_t i = 0; i < compiled.size(); ++i) {
    text += (i == 0 ? "" : ", ") + Name(compiled[i]);
  }
  if (compiled.empty()) text += "none";
  if (ptx > 0) text += " and PTX for " + Name(ptx) + " and later";
  text += ": add \"" +
          (capability > 0 ? std::to_string(capability) : "the GPU's") +
          "\" in tools/config/cuda_architectures.bzl and rebuild with "
          "--config=cuda (//tools/doctor says what fits)";
  return text;
}

std::string MissingKernels(int capability) {
  // Set by BUILD: "80, 90" and "90", or neither.
#ifdef MASK2FORMER_CUDA_ARCHITECTURES
  return MissingKernels(capability, {MASK2FORMER_CUDA_ARCHITECTURES},
                        MASK2FORMER_CUDA_PTX_ARCHITECTURE);
#else
  return MissingKernels(capability, {}, 0);
#endif
}

}  // namespace mask2former
