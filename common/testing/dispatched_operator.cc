#include "mask2former/common/testing/dispatched_operator.h"

#include <ATen/core/dispatch/Dispatcher.h>

#include <sstream>

namespace mask2former {
namespace {

c10::OperatorHandle Find(const std::string& name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), "");
}

}  // namespace

std::string SchemaOf(const std::string& name) {
  std::ostringstream text;
  text << Find(name).schema();
  return text.str();
}

std::vector<std::string> KernelsOf(const std::string& name) {
  const c10::OperatorHandle op = Find(name);
  std::vector<std::string> kernels;
  for (const c10::DispatchKey key :
       {c10::DispatchKey::Autograd, c10::DispatchKey::CPU,
        c10::DispatchKey::CUDA}) {
    if (op.hasKernelForDispatchKey(key)) kernels.push_back(c10::toString(key));
  }
  return kernels;
}

std::vector<std::string> KernelsOfThisBuild() {
  // Set by BUILD.
#ifdef MASK2FORMER_BUILT_WITH_CUDA
  return {"Autograd", "CPU", "CUDA"};
#else
  return {"Autograd", "CPU"};
#endif
}

std::vector<c10::IValue> CallByName(const std::string& name,
                                    std::vector<c10::IValue> arguments) {
  Find(name).callBoxed(&arguments);
  return arguments;
}

}  // namespace mask2former
