// Says whether what a program needs of this machine is there and fits together.

#include <gflags/gflags.h>

#include <iostream>
#include <vector>

#include "absl/status/status.h"
#include "mask2former/common/program.h"
#include "mask2former/tools/doctor/compiled.h"
#include "mask2former/tools/doctor/cuda_driver.h"
#include "mask2former/tools/doctor/diagnose.h"
#include "mask2former/tools/doctor/libraries.h"
#include "mask2former/tools/doctor/libtorch.h"
#include "mask2former/tools/doctor/report.h"

DEFINE_bool(json, false, "Print JSON instead of a table.");

namespace mask2former {
namespace {

constexpr char kUsage[] =
    R"(Checks LibTorch, CUDA, the GPU, libraries and processor of this machine
against what this build needs.

  bazel run //tools/doctor                  CPU build
  bazel run --config=cuda //tools/doctor    with kernels for GPUs

Prints what it found and, for each thing that does not fit, a sentence with the
fix. The exit code is 1 if something does not fit.)";

absl::Status Run(const CommandLine&) {
  Facts facts;
  facts.compiled = Compiled();
  facts.driver = ProbeCudaDriver();
  facts.cuda_runtime = ProbeCudaRuntime();
  facts.protobuf_headers = ProtobufHeaderVersion();
  facts.protobuf_library = ProtobufLibraryVersion();
  facts.protobuf_copies = LoadedLibraries("libprotobuf.so");
  for (const std::string& path : LoadedLibraries("libglog.so")) {
    facts.glog_path = path;
    facts.glog_library = VersionInFileName(path);
  }
  facts.opencv_headers = OpenCvHeaderVersion();
  facts.opencv_library = OpenCvLibraryVersion();
  ProbeLibTorch(facts);
  const std::vector<Finding> findings = Diagnose(facts);
  std::cout << (FLAGS_json ? JsonReport(facts, findings)
                           : TextReport(facts, findings))
            << std::flush;
  return IsSound(findings) ? absl::OkStatus()
                           : absl::FailedPreconditionError(
                                 "something does not fit, see above");
}

}  // namespace
}  // namespace mask2former

int main(int argc, char** argv) {
  mask2former::ProgramInfo program = {mask2former::kUsage, __FILE__};
  program.takes_overrides = false;
  return mask2former::RunProgram(program, argc, argv, mask2former::Run);
}
