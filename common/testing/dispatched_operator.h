#ifndef MASK2FORMER_COMMON_TESTING_DISPATCHED_OPERATOR_H_
#define MASK2FORMER_COMMON_TESTING_DISPATCHED_OPERATOR_H_

#include <ATen/core/ivalue.h>

#include <string>
#include <vector>

namespace mask2former {

// What LibTorch's dispatcher knows of an operator, for tests of what its files
// register. Names are "mask2former::ms_deform_attn", of operators that exist;
// others throw c10::Error.

// As LibTorch writes it: "mask2former::f(Tensor a, int b) -> Tensor".
std::string SchemaOf(const std::string& name);

// Those of "Autograd", "CPU" and "CUDA", in this order, under which it has a
// kernel of its own.
std::vector<std::string> KernelsOf(const std::string& name);

// Those that an operator must have whose CUDA kernels are compiled by nvcc:
// "Autograd", "CPU" and, in a build with --config=cuda only, "CUDA".
std::vector<std::string> KernelsOfThisBuild();

// Calls it as Python and TorchScript do: by name, arguments in boxes. Returns
// its results.
std::vector<c10::IValue> CallByName(const std::string& name,
                                    std::vector<c10::IValue> arguments);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_DISPATCHED_OPERATOR_H_
