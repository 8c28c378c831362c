#ifndef MASK2FORMER_COMMON_FLAGS_H_
#define MASK2FORMER_COMMON_FLAGS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// What the command line said besides the values of gflags' flags.
struct CommandLine {
  bool help = false;  // --help or -h was given; nothing else was looked at.
  // Values of --set, in order: settings that override those of --config.
  std::vector<std::string> overrides;
};

// Sets the flags defined with DEFINE_...() in `source_file`, as that file's
// __FILE__ has it. "--name=value" and "--name value" are the same, also with
// one dash; "--name" and "--noname" set a bool. --set may be given any number
// of times, the other flags once. Flags of libraries (--v, --minloglevel) are
// accepted, too.
//
//   arguments   without the program's name
//
// gflags' own parser is not used, because it ends the process on errors, knows
// no repeated flags, and lists a hundred flags of libraries in its help.
//
// Returns InvalidArgument that lists every mistake, with the nearest name for
// flags that do not exist. Arguments that are no flags are mistakes.
absl::StatusOr<CommandLine> ParseFlags(
    const std::string& source_file, const std::vector<std::string>& arguments);

// The text for --help: `usage`, then the flags of `source_file` in alphabetical
// order with their types, defaults and descriptions. `with_set`: also --set.
std::string FlagsHelp(absl::string_view usage, const std::string& source_file,
                      bool with_set);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_FLAGS_H_
