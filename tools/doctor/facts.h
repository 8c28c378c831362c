#ifndef MASK2FORMER_TOOLS_DOCTOR_FACTS_H_
#define MASK2FORMER_TOOLS_DOCTOR_FACTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mask2former {

// A GPU as the driver describes it.
struct GpuFacts {
  std::string name;
  int capability = 0;  // Compute capability times 10: 90 for an H100.
  int64_t memory_bytes = 0;
};

// What the NVIDIA driver says.
struct DriverFacts {
  bool found = false;  // libcuda.so.1 could be loaded.
  std::string error;   // Why it could not be loaded or started; else empty.
  int version = 0;     // Newest CUDA it can run, e.g. 13000 for 13.0.
  std::vector<GpuFacts> gpus;
};

// For which GPUs this binary holds kernels.
struct CompiledFacts {
  bool cuda = false;              // Built with --config=cuda.
  std::vector<int> capabilities;  // Machine code for these: 80, 90.
  int ptx_capability = 0;         // PTX for this and later ones; 0: none.
};

// An operator of this repository. Each should have kernels for the CPU and, in
// a build with CUDA, for that.
struct OperatorFacts {
  std::string name;                  // "ms_deform_attn"
  std::vector<std::string> devices;  // That have a kernel: "CPU", "CUDA".
  // By device, what it is if it is not the usual: "CPU" -> "portable code".
  std::map<std::string, std::string> other_kernels = {};
};

// All that the doctor looks at. Versions are "2.11.0"; empty means unknown.
struct Facts {
  CompiledFacts compiled;
  DriverFacts driver;

  std::string libtorch_headers;
  std::string libtorch_library;
  std::string libtorch_path;
  std::string libtorch_cuda;       // CUDA it was built with, "13.0", or empty.
  bool libtorch_has_cuda = false;  // It can compute on a GPU in this process.
  int cuda_runtime = 0;            // 13000 for 13.0; 0 if none is loaded.

  std::string protobuf_headers;
  std::string protobuf_library;
  std::vector<std::string> protobuf_copies;  // Paths in this process.
  std::string glog_library;
  std::string glog_path;
  std::string opencv_headers;
  std::string opencv_library;

  std::string cpu_name;
  std::vector<std::string> cpu_features;  // "avx2", "avx512_f", "amx_bf16", ...
  int cpu_cores = 0;
  int threads = 0;  // That LibTorch will use.
  // What vector code is chosen: "AVX512", "AVX2", "DEFAULT", and whether the
  // user chose it (ATEN_CPU_CAPABILITY).
  std::string cpu_path;
  bool cpu_path_forced = false;
  std::vector<OperatorFacts> operators;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_DOCTOR_FACTS_H_
