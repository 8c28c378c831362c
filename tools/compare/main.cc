// Compares two safetensors files tensor by tensor.

#include <gflags/gflags.h>

#include <iostream>
#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/paths.h"
#include "mask2former/common/program.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/tools/compare/compare_tensors.h"

DEFINE_string(expected, "", "The .safetensors file that is right.");
DEFINE_string(actual, "", "The .safetensors file to compare with it.");
DEFINE_double(atol, 0,
              "An element is different if |actual - expected| is more than "
              "atol + rtol |expected|.");
DEFINE_double(rtol, 0, "See --atol.");
DEFINE_string(expected_prefix, "",
              "Compare only what starts so in --expected, without this.");
DEFINE_string(actual_prefix, "",
              "Compare only what starts so in --actual, without this.");
DEFINE_bool(all, true, "Show tensors that agree, too.");

namespace mask2former {
namespace {

constexpr char kUsage[] =
    R"(Compares two safetensors files tensor by tensor.

  bazel build //tools/compare && bazel-bin/tools/compare/compare --expected=golden.safetensors --actual=mine.safetensors --atol=1e-5

For every name: the largest absolute and relative difference, the cosine of the
two as vectors, and the first element that differs by more than the tolerance,
as "[index] actual, not expected; how many of all". Relative to the larger of
the two magnitudes. Weights of models, features dumped from two programs,
gradients: whatever has names.

Ends with code 0 if everything agrees, else with 1.)";

absl::StatusOr<std::map<std::string, at::Tensor>> Read(
    const char* flag, const std::string& path, const std::string& prefix) {
  if (path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, " is not set: give a .safetensors file"));
  }
  M2F_ASSIGN_OR_RETURN(SafetensorsFile file,
                       ReadSafetensors(ResolveUserPath(path)));
  if (prefix.empty()) return std::move(file.tensors);
  std::map<std::string, at::Tensor> tensors;
  for (const auto& [name, tensor] : file.tensors) {
    if (absl::StartsWith(name, prefix)) {
      tensors[name.substr(prefix.size())] = tensor;
    }
  }
  if (tensors.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag, "_prefix: nothing in ", path, " starts with '",
                     prefix, "'"));
  }
  return tensors;
}

absl::Status Run(const CommandLine&) {
  if (!(FLAGS_atol >= 0 && FLAGS_rtol >= 0)) {
    return absl::InvalidArgumentError("--atol and --rtol must be 0 or more");
  }
  M2F_ASSIGN_OR_RETURN(const auto expected,
                       Read("expected", FLAGS_expected, FLAGS_expected_prefix));
  M2F_ASSIGN_OR_RETURN(const auto actual,
                       Read("actual", FLAGS_actual, FLAGS_actual_prefix));
  const SetComparison comparison =
      CompareSets(expected, actual, {FLAGS_atol, FLAGS_rtol});
  std::cout << TextReport(comparison, !FLAGS_all) << std::flush;
  if (comparison.NumDifferent() == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(FLAGS_actual, " differs from ", FLAGS_expected));
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  mask2former::ProgramInfo program;
  program.usage = mask2former::kUsage;
  program.source_file = __FILE__;
  program.takes_overrides = false;
  return mask2former::RunProgram(program, argc, argv, mask2former::Run);
}
