#ifndef MASK2FORMER_TRAIN_LOGGING_CRC32C_H_
#define MASK2FORMER_TRAIN_LOGGING_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace mask2former {

// The cyclic redundancy check with Castagnoli's polynomial, reflected.
//
// Source: RFC 3720, appendix B.4.
uint32_t Crc32c(absl::string_view data);

// Crc32c() rotated and shifted, as TFRecord files store it, so that the check
// of data that holds its own check is not degenerate.
uint32_t MaskedCrc32c(absl::string_view data);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_LOGGING_CRC32C_H_
