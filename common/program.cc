#include "mask2former/common/program.h"

#include <c10/util/Exception.h>
#include <gflags/gflags.h>
#include <malloc.h>

#include <climits>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/common/logging.h"

namespace mask2former {
namespace {

absl::Status RunGuarded(
    const CommandLine& line,
    const std::function<absl::Status(const CommandLine&)>& body) {
  try {
    return body(line);
  } catch (const c10::Error& error) {
    VLOG(1) << error.what();
    return absl::InternalError(error.what_without_backtrace());
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace

int RunProgram(const ProgramInfo& program, int argc, char** argv,
               const std::function<absl::Status(const CommandLine&)>& body) {
  if (program.keep_freed_memory) KeepFreedMemory();
  const absl::StatusOr<CommandLine> line = ParseFlags(
      program.source_file, std::vector<std::string>(argv + 1, argv + argc));
  if (!line.ok()) {
    std::cerr << line.status().message() << std::endl;
    return 1;
  }
  if (line->help) {
    std::cout << FlagsHelp(program.usage, program.source_file,
                           program.takes_overrides);
    return 0;
  }
  if (!program.takes_overrides && !line->overrides.empty()) {
    std::cerr << "unknown flag --set: this program reads no settings"
              << std::endl;
    return 1;
  }
  google::SetCommandLineOptionWithMode("logtostderr", "true",
                                       google::SET_FLAG_IF_DEFAULT);
  if (!google::IsGoogleLoggingInitialized()) google::InitGoogleLogging(argv[0]);
  const absl::Status status = RunGuarded(*line, body);
  if (!status.ok()) LOG(ERROR) << status.message();
  return status.ok() ? 0 : 1;
}

void KeepFreedMemory() {
  setenv("THP_MEM_ALLOC_ENABLE", "1", /*overwrite=*/0);
  if (std::getenv("GLIBC_TUNABLES") != nullptr) return;
  if (std::getenv("MALLOC_MMAP_THRESHOLD_") == nullptr) {
    mallopt(M_MMAP_THRESHOLD, INT_MAX);
  }
  if (std::getenv("MALLOC_TRIM_THRESHOLD_") == nullptr) {
    mallopt(M_TRIM_THRESHOLD, INT_MAX);
  }
}

}  // namespace mask2former
