#include "mask2former/common/print_progress.h"

#include <cstdio>

#include "absl/strings/str_format.h"

namespace mask2former {

void PrintProgress(int64_t done, int64_t total, absl::string_view things) {
  if (done != total && done * 20 / total == (done - 1) * 20 / total) return;
  absl::PrintF("%d of %d %s\n", done, total, things);
  std::fflush(stdout);
}

}  // namespace mask2former
