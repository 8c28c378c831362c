#ifndef MASK2FORMER_TOOLS_DOCTOR_LIBTORCH_H_
#define MASK2FORMER_TOOLS_DOCTOR_LIBTORCH_H_

#include <string>

#include "absl/strings/string_view.h"
#include "mask2former/tools/doctor/facts.h"

namespace mask2former {

// The value of `name` among the "NAME=value, " of at::show_config(); empty if
// it is not there.
std::string BuildSetting(absl::string_view config, absl::string_view name);

// Fills in what LibTorch knows: itself, the processor, the operators.
void ProbeLibTorch(Facts& facts);

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_DOCTOR_LIBTORCH_H_
