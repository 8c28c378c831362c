#include "mask2former/tools/doctor/report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace mask2former {
namespace {

std::string OrUnknown(const std::string& text) {
  return text.empty() ? "unknown" : text;
}

// "2.11.0", or both where they differ.
std::string Versions(const std::string& headers, const std::string& library) {
  if (headers == library) return OrUnknown(library);
  return absl::StrCat("headers ", OrUnknown(headers), ", library ",
                      OrUnknown(library));
}

std::string CompiledFor(const CompiledFacts& compiled) {
  if (!compiled.cuda) return "CPU only (no --config=cuda)";
  std::vector<std::string> parts;
  for (int c : compiled.capabilities) parts.push_back(CapabilityName(c));
  if (compiled.ptx_capability > 0) {
    parts.push_back(
        absl::StrCat("PTX ", CapabilityName(compiled.ptx_capability)));
  }
  return absl::StrJoin(parts, ", ");
}

std::string DriverText(const DriverFacts& driver) {
  if (!driver.error.empty()) return absl::StrCat("none: ", driver.error);
  return absl::StrCat("up to CUDA ", CudaVersionName(driver.version));
}

std::string GpuText(const CompiledFacts& compiled, const GpuFacts& gpu) {
  const char* kernels = "";
  if (compiled.cuda) {
    switch (CodeFor(compiled, gpu.capability)) {
      case KernelCode::kMachineCode:
        kernels = ", kernels compiled";
        break;
      case KernelCode::kPtx:
        kernels = ", kernels from PTX";
        break;
      case KernelCode::kMissing:
        kernels = ", kernels MISSING";
        break;
    }
  }
  return absl::StrFormat("%s, compute capability %s, %.0f GiB%s", gpu.name,
                         CapabilityName(gpu.capability),
                         static_cast<double>(gpu.memory_bytes) / (1 << 30),
                         kernels);
}

// Vector instructions that kernels are written for or that LibTorch uses.
std::string Features(const std::vector<std::string>& all) {
  std::vector<std::string> shown;
  for (const std::string& feature : all) {
    for (const char* prefix : {"avx2", "fma3", "avx512_f", "avx512_bf16",
                               "avx512_vnni", "amx_", "neon", "sve"}) {
      if (feature.rfind(prefix, 0) == 0 && feature != "avx512_fp16") {
        shown.push_back(feature);
        break;
      }
    }
  }
  return shown.empty() ? "none" : absl::StrJoin(shown, " ");
}

std::string CpuPath(const Facts& facts) {
  const std::string name = facts.cpu_path == "AVX512" ? "AVX-512"
                           : facts.cpu_path == "AVX2" ? "AVX2"
                                                      : "portable";
  return absl::StrCat(name,
                      facts.cpu_path_forced ? " (by ATEN_CPU_CAPABILITY)" : "");
}

nlohmann::json ToJson(const std::vector<Finding>& findings,
                      Finding::Severity severity) {
  nlohmann::json list = nlohmann::json::array();
  for (const Finding& finding : findings) {
    if (finding.severity != severity) continue;
    list.push_back({{"what", finding.what}, {"fix", finding.fix}});
  }
  return list;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> Rows(const Facts& facts) {
  std::vector<std::pair<std::string, std::string>> rows = {
      {"LibTorch", Versions(facts.libtorch_headers, facts.libtorch_library)},
      {"LibTorch file", OrUnknown(facts.libtorch_path)},
      {"LibTorch's CUDA",
       facts.libtorch_cuda.empty() ? "none" : facts.libtorch_cuda},
      {"CUDA runtime", facts.cuda_runtime > 0
                           ? CudaVersionName(facts.cuda_runtime)
                           : "none loaded"},
      {"CUDA driver", DriverText(facts.driver)},
      {"kernels compiled for", CompiledFor(facts.compiled)}};
  for (size_t i = 0; i < facts.driver.gpus.size(); ++i) {
    rows.emplace_back(absl::StrCat("GPU ", i),
                      GpuText(facts.compiled, facts.driver.gpus[i]));
  }
  rows.insert(
      rows.end(),
      {{"protobuf", Versions(facts.protobuf_headers, facts.protobuf_library)},
       {"protobuf file", OrUnknown(absl::StrJoin(facts.protobuf_copies, ", "))},
       {"glog", OrUnknown(facts.glog_library)},
       {"glog file", OrUnknown(facts.glog_path)},
       {"OpenCV", Versions(facts.opencv_headers, facts.opencv_library)},
       {"processor", OrUnknown(facts.cpu_name)},
       {"cores, threads", absl::StrCat(facts.cpu_cores, ", ", facts.threads)},
       {"vector instructions", Features(facts.cpu_features)}});
  for (const OperatorFacts& op : facts.operators) {
    std::vector<std::string> paths;
    for (const std::string& device : op.devices) {
      const auto other = op.other_kernels.find(device);
      if (other != op.other_kernels.end()) {
        paths.push_back(absl::StrCat(device, " ", other->second));
      } else if (device == "CPU") {
        paths.push_back(absl::StrCat("CPU ", CpuPath(facts)));
      } else {
        paths.push_back(device);
      }
    }
    if (paths.empty()) paths = {"none"};
    rows.emplace_back(absl::StrCat("op ", op.name), absl::StrJoin(paths, "; "));
  }
  return rows;
}

std::string TextReport(const Facts& facts,
                       const std::vector<Finding>& findings) {
  const auto rows = Rows(facts);
  size_t width = 0;
  for (const auto& [name, value] : rows) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : rows) {
    absl::StrAppend(&text, name, std::string(width + 2 - name.size(), ' '),
                    value, "\n");
  }
  int problems = 0;
  for (const Finding& finding : findings) {
    const bool problem = finding.severity == Finding::Severity::kProblem;
    problems += problem ? 1 : 0;
    absl::StrAppend(&text, "\n", problem ? "PROBLEM: " : "note: ", finding.what,
                    ".\n  ", finding.fix, "\n");
  }
  const std::string device =
      facts.libtorch_has_cuda && facts.compiled.cuda ? "the GPU" : "the CPU";
  absl::StrAppend(&text, "\n",
                  problems == 0
                      ? absl::StrCat("All fits. Programs compute on ", device)
                      : absl::StrCat(problems, " problem",
                                     problems == 1 ? "" : "s", " to solve"),
                  ".\n");
  return text;
}

std::string JsonReport(const Facts& facts,
                       const std::vector<Finding>& findings) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::object();
  for (const auto& [name, value] : Rows(facts)) rows[name] = value;
  const nlohmann::ordered_json report = {
      {"ok", IsSound(findings)},
      {"rows", rows},
      {"problems", ToJson(findings, Finding::Severity::kProblem)},
      {"notes", ToJson(findings, Finding::Severity::kNote)}};
  return report.dump(2, ' ', /*ensure_ascii=*/false,
                     nlohmann::ordered_json::error_handler_t::replace) +
         "\n";
}

bool IsSound(const std::vector<Finding>& findings) {
  return std::none_of(findings.begin(), findings.end(), [](const Finding& f) {
    return f.severity == Finding::Severity::kProblem;
  });
}

}  // namespace mask2former
