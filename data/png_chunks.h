#ifndef MASK2FORMER_DATA_PNG_CHUNKS_H_
#define MASK2FORMER_DATA_PNG_CHUNKS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// Bytes of the PNG signature and of the header chunk that follows it.
inline constexpr int64_t kPngHeaderBytes = 33;

// A number of four bytes as PNG stores it: the highest first.
uint32_t BigEndian32(const char* bytes);

// CRC-32 of ISO 3309, as PNG, zip and Ethernet use it.
uint32_t Crc32(absl::string_view bytes);

// Verifies a PNG's container: signature, header first, every chunk whole with
// the right checksum, picture data present, end marker. Does not decode.
//
// Returns InvalidArgument if `bytes` are no PNG at all, else DataLoss with what
// is wrong and at which byte. Messages do not name the file.
//
// Source: ISO/IEC 15948:2004 (PNG), sections 5 and 11.
absl::Status CheckPngChunks(absl::string_view bytes);

// Verifies signature and header chunk only; `bytes` are the file's first
// kPngHeaderBytes or more.
absl::Status CheckPngHeader(absl::string_view bytes);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_PNG_CHUNKS_H_
