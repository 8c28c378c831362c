#ifndef MASK2FORMER_TOOLS_DOCTOR_CUDA_DRIVER_H_
#define MASK2FORMER_TOOLS_DOCTOR_CUDA_DRIVER_H_

#include <string>

#include "mask2former/tools/doctor/facts.h"

namespace mask2former {

// Asks the NVIDIA driver what it can run and which GPUs there are. Works in
// builds without CUDA, too: the library is opened while the program runs.
//
//   library  the driver's library; another one in tests
//
// Never fails: what went wrong is in DriverFacts::error.
DriverFacts ProbeCudaDriver(const std::string& library = "libcuda.so.1");

// The version of a CUDA runtime that is already in this process, e.g. 13000; 0
// if there is none.
int ProbeCudaRuntime();

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_DOCTOR_CUDA_DRIVER_H_
