#include "mask2former/tools/doctor/diagnose.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace mask2former {
namespace {

// The oldest GPUs that CUDA 13 compiles for.
constexpr int kOldestCapability = 75;

constexpr char kArchitecturesFile[] = "tools/config/cuda_architectures.bzl";

class Findings {
 public:
  void Problem(std::string what, std::string fix) {
    findings_.push_back(
        {Finding::Severity::kProblem, std::move(what), std::move(fix)});
  }
  void Note(std::string what, std::string fix) {
    findings_.push_back(
        {Finding::Severity::kNote, std::move(what), std::move(fix)});
  }
  std::vector<Finding> Sorted() && {
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) {
                       return a.severity > b.severity;
                     });
    return std::move(findings_);
  }

 private:
  std::vector<Finding> findings_;
};

// "2.11.0" of "2.11.0+cu130".
std::string Release(const std::string& version) {
  return std::vector<std::string>(absl::StrSplit(version, '+')).front();
}

int Major(const std::string& version) {
  int major = 0;
  if (!absl::SimpleAtoi(version.substr(0, version.find('.')), &major)) return 0;
  return major;
}

void CompareVersions(const char* library, const std::string& headers,
                     const std::string& loaded, const char* fix,
                     Findings& findings) {
  if (headers.empty() || loaded.empty() ||
      Release(headers) == Release(loaded)) {
    return;
  }
  findings.Problem(absl::StrCat("compiled with ", library, " ", headers,
                                "'s headers, but ", loaded, " was loaded"),
                   fix);
}

void DiagnoseLibraries(const Facts& facts, Findings& findings) {
  CompareVersions(
      "LibTorch", facts.libtorch_headers, facts.libtorch_library,
      "Point LIBTORCH_ROOT (and LD_LIBRARY_PATH, if it is set) to the LibTorch "
      "that this was built with, or rebuild.",
      findings);
  CompareVersions(
      "protobuf", facts.protobuf_headers, facts.protobuf_library,
      "Install protobuf-compiler, libprotobuf-dev and libprotobuf32 of one "
      "version and rebuild (bazel sync --configure, then bazel build).",
      findings);
  CompareVersions("OpenCV", facts.opencv_headers, facts.opencv_library,
                  "Install the OpenCV packages in one version, or set "
                  "OPENCV_ROOT to the one that is loaded, and rebuild.",
                  findings);
  if (facts.protobuf_copies.size() > 1) {
    findings.Problem(
        absl::StrCat("protobuf is in this process ",
                     facts.protobuf_copies.size(),
                     " times: ", absl::StrJoin(facts.protobuf_copies, ", ")),
        "Remove all but one from LD_LIBRARY_PATH and from what is linked; two "
        "copies crash at start or at exit.");
  }
}

// Code for 8.0 and 9.0, and PTX for 9.0 and later
std::string CompiledFor(const CompiledFacts& compiled) {
  std::vector<std::string> names;
  for (int capability : compiled.capabilities) {
    names.push_back(CapabilityName(capability));
  }
  std::string text =
      names.empty() ? "no machine code"
                    : absl::StrCat("code for ", absl::StrJoin(names, ", "));
  if (compiled.ptx_capability > 0) {
    absl::StrAppend(&text, " and PTX for ",
                    CapabilityName(compiled.ptx_capability), " and later");
  }
  return text;
}

void DiagnoseGpu(const CompiledFacts& compiled, size_t index,
                 const GpuFacts& gpu, Findings& findings) {
  const std::string has =
      absl::StrCat("GPU ", index, " (", gpu.name, ") has compute capability ",
                   CapabilityName(gpu.capability), ", this build has ",
                   CompiledFor(compiled));
  switch (CodeFor(compiled, gpu.capability)) {
    case KernelCode::kMachineCode:
      break;
    case KernelCode::kPtx:
      findings.Note(
          absl::StrCat(has,
                       ": the driver will translate the kernels at "
                       "their first use"),
          absl::StrCat("Add \"", gpu.capability, "\" in ", kArchitecturesFile,
                       " and rebuild to have them ready."));
      break;
    case KernelCode::kMissing:
      findings.Problem(
          has, gpu.capability < kOldestCapability
                   ? std::string("Use a GPU of compute capability 7.5 or "
                                 "newer: CUDA 13 compiles for nothing older.")
                   : absl::StrCat("Add \"", gpu.capability, "\" in ",
                                  kArchitecturesFile,
                                  " and rebuild with --config=cuda."));
      break;
  }
}

void DiagnoseCuda(const Facts& facts, Findings& findings) {
  const DriverFacts& driver = facts.driver;
  if (!facts.compiled.cuda) {
    if (!driver.gpus.empty()) {
      findings.Note(
          absl::StrCat("there is a GPU (", driver.gpus.front().name,
                       "), but this build computes on the CPU only"),
          "Build with --config=cuda to use it (needs nvcc 12.8 or newer).");
    }
    return;
  }
  if (!driver.found || !driver.error.empty()) {
    findings.Problem(
        absl::StrCat("built with CUDA, but no NVIDIA driver can be used (",
                     driver.error, ")"),
        "Install the NVIDIA driver (R580 or newer for CUDA 13), or start the "
        "container with GPUs (--gpus=all); programs compute on the CPU "
        "meanwhile.");
    return;
  }
  const int wanted = facts.cuda_runtime;
  if (wanted > 0 && driver.version / 1000 < wanted / 1000) {
    findings.Problem(
        absl::StrCat("the NVIDIA driver runs programs up to CUDA ",
                     CudaVersionName(driver.version), ", the CUDA runtime is ",
                     CudaVersionName(wanted)),
        absl::StrCat("Update the driver (R580 or newer for CUDA 13), or use a "
                     "LibTorch built for CUDA ",
                     driver.version / 1000, "."));
  }
  if (wanted > 0 && Major(facts.libtorch_cuda) > 0 &&
      Major(facts.libtorch_cuda) != wanted / 1000) {
    findings.Problem(
        absl::StrCat("LibTorch was built with CUDA ", facts.libtorch_cuda,
                     ", the runtime loaded is ", CudaVersionName(wanted)),
        "Remove the other CUDA from LD_LIBRARY_PATH.");
  }
  if (driver.gpus.empty()) {
    findings.Problem("the NVIDIA driver works, but shows no GPU",
                     "Check CUDA_VISIBLE_DEVICES and what the job or container "
                     "was given (nvidia-smi -L).");
    return;
  }
  for (size_t i = 0; i < driver.gpus.size(); ++i) {
    DiagnoseGpu(facts.compiled, i, driver.gpus[i], findings);
  }
  if (!facts.libtorch_has_cuda) {
    findings.Problem(
        absl::StrCat("LibTorch at ", facts.libtorch_path,
                     " cannot use the GPU that the driver shows"),
        facts.libtorch_cuda.empty()
            ? "Set LIBTORCH_ROOT to a LibTorch with CUDA and rebuild."
            : "See that libtorch_cuda.so and the nvidia wheels that it needs "
              "can be loaded (ldd libtorch_cuda.so).");
  }
}

void DiagnoseOperators(const Facts& facts, Findings& findings) {
  for (const OperatorFacts& op : facts.operators) {
    const auto lacks = [&op](const char* device) {
      return std::count(op.devices.begin(), op.devices.end(), device) == 0;
    };
    if (lacks("CPU")) {
      findings.Problem(absl::StrCat(op.name, " has no kernel for the CPU"),
                       "Link its target with alwayslink, as its BUILD does.");
    }
    if (facts.compiled.cuda && lacks("CUDA")) {
      findings.Problem(
          absl::StrCat(op.name, " has no kernel for CUDA in this build"),
          "Rebuild everything with --config=cuda.");
    }
  }
}

void DiagnoseCpu(const Facts& facts, Findings& findings) {
  const auto has = [&facts](const char* feature) {
    return std::find(facts.cpu_features.begin(), facts.cpu_features.end(),
                     feature) != facts.cpu_features.end();
  };
  if (facts.cpu_path == "DEFAULT" && has("avx2")) {
    findings.Note(
        "the processor has AVX2, but portable code is used",
        facts.cpu_path_forced
            ? "Unset ATEN_CPU_CAPABILITY for speed."
            : "Use a LibTorch built with AVX2 kernels (PERF_WITH_AVX2=1).");
  } else if (facts.cpu_path_forced && facts.cpu_path == "AVX2" &&
             has("avx512_f")) {
    findings.Note("the processor has AVX-512, but AVX2 code is used",
                  "Unset ATEN_CPU_CAPABILITY for speed.");
  }
  if (facts.threads > facts.cpu_cores && facts.cpu_cores > 0) {
    findings.Note(absl::StrCat(facts.threads, " threads on ", facts.cpu_cores,
                               " cores wait for each other"),
                  absl::StrCat("Set OMP_NUM_THREADS=", facts.cpu_cores, "."));
  }
}

}  // namespace

KernelCode CodeFor(const CompiledFacts& compiled, int capability) {
  for (int c : compiled.capabilities) {
    if (c / 10 == capability / 10 && c % 10 <= capability % 10) {
      return KernelCode::kMachineCode;
    }
  }
  return compiled.ptx_capability > 0 && capability >= compiled.ptx_capability
             ? KernelCode::kPtx
             : KernelCode::kMissing;
}

std::string CapabilityName(int capability) {
  return absl::StrCat(capability / 10, ".", capability % 10);
}

std::string CudaVersionName(int version) {
  return absl::StrCat(version / 1000, ".", version % 1000 / 10);
}

std::vector<Finding> Diagnose(const Facts& facts) {
  Findings findings;
  DiagnoseLibraries(facts, findings);
  DiagnoseCuda(facts, findings);
  DiagnoseOperators(facts, findings);
  DiagnoseCpu(facts, findings);
  return std::move(findings).Sorted();
}

}  // namespace mask2former
