#ifndef MASK2FORMER_COMMON_STATUS_PREFIX_H_
#define MASK2FORMER_COMMON_STATUS_PREFIX_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// `status` with `prefix` put before its message, to say where an error is:
// WithPrefix("aachen.png: ", status). The code stays; OK stays OK.
absl::Status WithPrefix(absl::string_view prefix, const absl::Status& status);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_STATUS_PREFIX_H_
