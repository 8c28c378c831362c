// The launch: every block of a grid, one after another in random order.

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <string>

#include "mask2former/tools/cuda_emulation/block.h"
#include "mask2former/tools/cuda_emulation/program_image.h"
#include "mask2former/tools/cuda_emulation/race_detector.h"
#include "mask2former/tools/cuda_emulation/runtime_api.h"
#include "mask2former/tools/cuda_emulation/shared_memory.h"

namespace mask2former {
namespace {

constexpr size_t kSharedBytes = size_t{48} << 10;        // Without asking.
constexpr size_t kSharedBytesOptIn = size_t{163} << 10;  // sm_80

struct Launcher {
  Launcher() {
    const char* const seed = std::getenv("M2F_CUDA_EMULATION_SEED");
    random.seed(seed != nullptr ? std::strtoull(seed, nullptr, 10) : 1);
  }

  std::mutex running;  // One grid at a time.
  std::mt19937_64 random;
  std::map<const void*, size_t> shared_limit;
  cudaError_t last_error = cudaSuccess;
  std::string failure = "unspecified launch failure";
};

Launcher& GetLauncher() {
  static Launcher* const launcher = new Launcher;
  return *launcher;
}

cudaError_t Remember(cudaError_t error) {
  if (error != cudaSuccess) GetLauncher().last_error = error;
  return error;
}

size_t SharedLimit(const void* kernel) {
  const auto& limits = GetLauncher().shared_limit;
  const auto it = limits.find(kernel);
  return it != limits.end() ? it->second : kSharedBytes;
}

bool IsValid(const cudaLaunchConfig_t& config) {
  const dim3 grid = config.gridDim, block = config.blockDim;
  return grid.x > 0 && grid.y > 0 && grid.z > 0 && grid.x <= 0x7fffffff &&
         grid.y <= 0xffff && grid.z <= 0xffff && block.x > 0 && block.y > 0 &&
         block.z > 0 && block.x <= 1024 && block.y <= 1024 && block.z <= 64 &&
         uint64_t{block.x} * block.y * block.z <= 1024 && config.numAttrs == 0;
}

// Visits 0 .. count - 1 in an order that is no GPU's: from a random start in
// random strides.
class RandomOrder {
 public:
  RandomOrder(uint64_t count, std::mt19937_64& random)
      : count_(count), next_(random() % count), stride_(random() % count) {
    while (std::gcd(stride_, count_) != 1) stride_ = (stride_ + 1) % count_;
  }

  uint64_t Next() {
    const uint64_t result = next_;
    next_ =
        stride_ < count_ - next_ ? next_ + stride_ : next_ - (count_ - stride_);
    return result;
  }

 private:
  const uint64_t count_;
  uint64_t next_;
  uint64_t stride_;
};

}  // namespace

cudaError_t SetFunctionAttribute(const void* kernel,
                                 cudaFuncAttribute attribute, int value) {
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) {
    return cudaSuccess;
  }
  if (value < 0 || static_cast<size_t>(value) > kSharedBytesOptIn) {
    return Remember(cudaErrorInvalidValue);
  }
  GetLauncher().shared_limit[kernel] = value;
  return cudaSuccess;
}

cudaError_t CountActiveBlocks(int* blocks, const void* kernel, int threads,
                              size_t shared_bytes) {
  *blocks = threads <= 1024 && shared_bytes <= SharedLimit(kernel) ? 2 : 0;
  return cudaSuccess;
}

cudaError_t RunGrid(const cudaLaunchConfig_t& config, const void* kernel,
                    void (*call)(void*), void* argument) {
  if (InsideKernel()) {
    std::fprintf(stderr, "a kernel launches a kernel; not emulated\n");
    std::abort();
  }
  if (!IsValid(config)) return Remember(cudaErrorInvalidConfiguration);
  Launcher& launcher = GetLauncher();
  const std::lock_guard<std::mutex> lock(launcher.running);
  if (config.dynamicSmemBytes > SharedLimit(kernel)) {
    return Remember(cudaErrorInvalidValue);
  }
  gridDim = config.gridDim;
  blockDim = config.blockDim;
  const uint64_t count = uint64_t{gridDim.x} * gridDim.y * gridDim.z;
  BlockEmulator block(blockDim, call, argument);
  SharedMemory shared(config.dynamicSmemBytes);
  RandomOrder order(count, launcher.random);
  RaceDetector::Get().StartGrid(
      static_cast<int>(blockDim.x * blockDim.y * blockDim.z), shared.Regions());
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t index = order.Next();
    blockIdx = {static_cast<unsigned>(index % gridDim.x),
                static_cast<unsigned>(index / gridDim.x % gridDim.y),
                static_cast<unsigned>(index / gridDim.x / gridDim.y)};
    shared.Poison();
    const std::string error = block.Run(launcher.random);
    if (error.empty()) continue;
    launcher.failure = ProgramImage::Get().FunctionName(kernel) + ", block (" +
                       std::to_string(blockIdx.x) + ", " +
                       std::to_string(blockIdx.y) + ", " +
                       std::to_string(blockIdx.z) + "): " + error;
    std::fprintf(stderr, "%s\n", launcher.failure.c_str());
    return Remember(cudaErrorLaunchFailure);
  }
  return cudaSuccess;
}

}  // namespace mask2former

cudaError_t cudaPeekAtLastError() {
  return mask2former::GetLauncher().last_error;
}

cudaError_t cudaGetLastError() {
  return std::exchange(mask2former::GetLauncher().last_error, cudaSuccess);
}

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorInvalidValue:
      return "cudaErrorInvalidValue";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorNoDevice:
      return "cudaErrorNoDevice";
    case cudaErrorInvalidDevice:
      return "cudaErrorInvalidDevice";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
  }
  return "unrecognized error code";
}

const char* cudaGetErrorString(cudaError_t error) {
  if (error == cudaErrorLaunchFailure) {
    return mask2former::GetLauncher().failure.c_str();
  }
  return error == cudaSuccess ? "no error" : cudaGetErrorName(error);
}
