#ifndef MASK2FORMER_COMMON_PRINT_PROGRESS_H_
#define MASK2FORMER_COMMON_PRINT_PROGRESS_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace mask2former {

// Prints "30 of 600 files" to standard output: about twenty lines while `done`
// goes from 1 to `total`, however many `things` ("files") there are.
void PrintProgress(int64_t done, int64_t total, absl::string_view things);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_PRINT_PROGRESS_H_
