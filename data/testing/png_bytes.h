// PNG files by hand, for what no encoder writes.

#ifndef MASK2FORMER_DATA_TESTING_PNG_BYTES_H_
#define MASK2FORMER_DATA_TESTING_PNG_BYTES_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace mask2former {

inline constexpr absl::string_view kPngSignature("\x89PNG\r\n\x1a\n", 8);

// A number of four bytes, the highest first.
std::string PngNumber(uint32_t value);

// With its length and checksum; `type` has four letters.
std::string PngChunk(absl::string_view type, absl::string_view data);

// A zlib stream that holds `data` as it is, in blocks of up to 1000 bytes.
std::string StoredZlib(const std::string& data);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TESTING_PNG_BYTES_H_
