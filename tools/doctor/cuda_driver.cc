#include "mask2former/tools/doctor/cuda_driver.h"

#include <dlfcn.h>
#include <link.h>

#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

// Of the CUDA driver API, whose numbers never change.
constexpr int kSuccess = 0;
constexpr int kCapabilityMajor = 75;
constexpr int kCapabilityMinor = 76;

class Driver {
 public:
  explicit Driver(void* library) : library_(library) {}

  // Calls `name`; false, with the reason in error(), if that does not work.
  template <typename... Arguments>
  bool Call(const char* name, Arguments... arguments) {
    using Function = int (*)(Arguments...);
    const auto function = reinterpret_cast<Function>(dlsym(library_, name));
    if (function == nullptr) {
      error_ = absl::StrCat("the driver has no ", name);
      return false;
    }
    const int code = function(arguments...);
    if (code == kSuccess) return true;
    error_ = absl::StrCat(name, ": error ", code, ErrorName(code));
    return false;
  }

  const std::string& error() const { return error_; }

 private:
  // ", CUDA_ERROR_NO_DEVICE"
  std::string ErrorName(int code) const {
    const auto name_of = reinterpret_cast<int (*)(int, const char**)>(
        dlsym(library_, "cuGetErrorName"));
    const char* name = nullptr;
    if (name_of == nullptr || name_of(code, &name) != kSuccess) return "";
    return absl::StrCat(", ", name);
  }

  void* const library_;
  std::string error_;
};

bool ProbeGpu(Driver& driver, int index, GpuFacts* gpu) {
  int device = 0;
  char name[256] = "";
  int major = 0, minor = 0;
  size_t bytes = 0;
  if (!driver.Call("cuDeviceGet", &device, index) ||
      !driver.Call("cuDeviceGetName", name, static_cast<int>(sizeof(name)),
                   device) ||
      !driver.Call("cuDeviceGetAttribute", &major, kCapabilityMajor, device) ||
      !driver.Call("cuDeviceGetAttribute", &minor, kCapabilityMinor, device) ||
      !driver.Call("cuDeviceTotalMem_v2", &bytes, device)) {
    return false;
  }
  *gpu = {name, 10 * major + minor, static_cast<int64_t>(bytes)};
  return true;
}

// Looks for "libcudart" in the name of each library of the process.
int FindRuntime(dl_phdr_info* info, size_t, void* found) {
  if (info->dlpi_name == nullptr ||
      std::strstr(info->dlpi_name, "libcudart") == nullptr) {
    return 0;
  }
  *static_cast<std::string*>(found) = info->dlpi_name;
  return 1;
}

}  // namespace

DriverFacts ProbeCudaDriver(const std::string& library) {
  DriverFacts facts;
  void* const handle = dlopen(library.c_str(), RTLD_NOW);
  if (handle == nullptr) {
    facts.error = dlerror();
    return facts;
  }
  facts.found = true;
  Driver driver(handle);
  int count = 0;
  if (!driver.Call("cuDriverGetVersion", &facts.version) ||
      !driver.Call("cuInit", 0u) || !driver.Call("cuDeviceGetCount", &count)) {
    facts.error = driver.error();
    return facts;
  }
  for (int i = 0; i < count; ++i) {
    GpuFacts gpu;
    if (!ProbeGpu(driver, i, &gpu)) {
      facts.error = driver.error();
      return facts;
    }
    facts.gpus.push_back(gpu);
  }
  return facts;
}

int ProbeCudaRuntime() {
  std::string path;
  if (dl_iterate_phdr(FindRuntime, &path) == 0) return 0;
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_NOLOAD);
  if (handle == nullptr) return 0;
  const auto get_version =
      reinterpret_cast<int (*)(int*)>(dlsym(handle, "cudaRuntimeGetVersion"));
  int version = 0;
  if (get_version == nullptr || get_version(&version) != kSuccess) return 0;
  return version;
}

}  // namespace mask2former
