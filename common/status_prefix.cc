#include "mask2former/common/status_prefix.h"

#include "absl/strings/str_cat.h"

namespace mask2former {

absl::Status WithPrefix(absl::string_view prefix, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat(prefix, status.message()));
}

}  // namespace mask2former
