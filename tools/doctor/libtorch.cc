#include "mask2former/tools/doctor/libtorch.h"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cpu/Utils.h>
#include <sched.h>
#include <torch/version.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/tools/doctor/libraries.h"

namespace mask2former {
namespace {

constexpr char kNamespace[] = "mask2former::";

// Kernels that are neither vector instructions on a CPU nor ours on CUDA.
struct OtherKernel {
  const char *name, *device, *what;
};
constexpr OtherKernel kOtherKernels[] = {
    {"point_sample", "CPU", "portable code"},
    {"point_sample_backward", "CPU", "portable code"},
    {"window_attention_backward", "CPU", "LibTorch"}};

// Cores that this process may use.
int CountCores() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof(cores), &cores) == 0) {
    return CPU_COUNT(&cores);
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

void ProbeCpu(Facts& facts) {
  for (const auto& [name, value] : at::cpu::get_cpu_capabilities()) {
    if (value.isBool() && value.toBool()) facts.cpu_features.push_back(name);
    if (name == "cpu_name" && value.isString()) {
      facts.cpu_name = value.toStringRef();
    }
  }
  std::sort(facts.cpu_features.begin(), facts.cpu_features.end());
  facts.cpu_cores = CountCores();
  facts.threads = at::get_num_threads();
  facts.cpu_path = at::get_cpu_capability();
  facts.cpu_path_forced = std::getenv("ATEN_CPU_CAPABILITY") != nullptr;
}

void ProbeOperators(Facts& facts) {
  c10::Dispatcher& dispatcher = c10::Dispatcher::singleton();
  for (const c10::OperatorName& name : dispatcher.getAllOpNames()) {
    if (!absl::StartsWith(name.name, kNamespace)) continue;
    const auto schema = dispatcher.findSchema(name);
    if (!schema.has_value()) continue;
    OperatorFacts op;
    op.name = name.name.substr(sizeof(kNamespace) - 1);
    for (const auto& [key, device] :
         {std::pair(c10::DispatchKey::CPU, "CPU"),
          std::pair(c10::DispatchKey::CUDA, "CUDA")}) {
      if (schema->hasKernelForDispatchKey(key)) op.devices.push_back(device);
    }
    for (const OtherKernel& other : kOtherKernels) {
      if (op.name != other.name) continue;
      op.other_kernels.emplace(other.device, other.what);
    }
    facts.operators.push_back(op);
  }
  std::sort(facts.operators.begin(), facts.operators.end(),
            [](const OperatorFacts& a, const OperatorFacts& b) {
              return a.name < b.name;
            });
}

}  // namespace

std::string BuildSetting(absl::string_view config, absl::string_view name) {
  const std::string key = absl::StrCat(" ", name, "=");
  const size_t at = config.find(key);
  if (at == absl::string_view::npos) return "";
  const absl::string_view value = config.substr(at + key.size());
  return std::string(value.substr(0, value.find_first_of(",\n")));
}

void ProbeLibTorch(Facts& facts) {
  const std::string config = at::show_config();
  facts.libtorch_headers = TORCH_VERSION;
  facts.libtorch_library = BuildSetting(config, "TORCH_VERSION");
  if (BuildSetting(config, "USE_CUDA") == "ON") {
    facts.libtorch_cuda = BuildSetting(config, "CUDA_VERSION");
  }
  for (const std::string& path : LoadedLibraries("libtorch_cpu.so")) {
    facts.libtorch_path = path;
  }
  facts.libtorch_has_cuda = at::globalContext().hasCUDA();
  ProbeCpu(facts);
  ProbeOperators(facts);
}

}  // namespace mask2former
