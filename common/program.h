#ifndef MASK2FORMER_COMMON_PROGRAM_H_
#define MASK2FORMER_COMMON_PROGRAM_H_

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "mask2former/common/flags.h"

namespace mask2former {

// What a program says of itself.
struct ProgramInfo {
  // Says in a sentence what it does, then shows how it is called.
  const char* usage;
  // __FILE__ of the file that defines its flags.
  const char* source_file;
  // Whether it reads settings that --set may override.
  bool takes_overrides = true;
  bool keep_freed_memory = true;  // See KeepFreedMemory().
};

// The whole of a main(): parses the flags (--help prints usage and flags to
// standard output), starts logging to standard error, runs `body`.
//
// Returns the exit code: 0 if `body` returned OK, and for --help; else 1, after
// one log entry with the message. An exception that leaves `body`, LibTorch's
// c10::Error included, is such an error, without LibTorch's stack trace unless
// --v=1.
int RunProgram(const ProgramInfo& program, int argc, char** argv,
               const std::function<absl::Status(const CommandLine&)>& body);

// Makes malloc keep what is freed for the next tensor of the size, and lets
// large tensors have huge pages. Otherwise glibc gives every large tensor back
// to the system, which has to clear its pages anew the next time: a third of
// the time of a forward pass on a CPU.
//
// To be called before the first tensor is made. Settings that the user has made
// in the environment (MALLOC_MMAP_THRESHOLD_, MALLOC_TRIM_THRESHOLD_,
// THP_MEM_ALLOC_ENABLE, GLIBC_TUNABLES) win.
void KeepFreedMemory();

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_PROGRAM_H_
