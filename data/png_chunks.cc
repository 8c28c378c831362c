#include "mask2former/data/png_chunks.h"

#include <array>
#include <cstddef>
#include <cstring>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

constexpr absl::string_view kSignature("\x89PNG\r\n\x1a\n", 8);
constexpr size_t kChunkOverhead = 12;  // Length, name, checksum.

// tables[k][b]: what byte b contributes when k more bytes follow it, so that
// eight bytes are taken at a time.
using CrcTables = std::array<std::array<uint32_t, 256>, 8>;

CrcTables MakeCrcTables() {
  CrcTables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc & 1) ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
    }
    tables[0][byte] = crc;
  }
  for (size_t k = 1; k < 8; ++k) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t previous = tables[k - 1][byte];
      tables[k][byte] = (previous >> 8) ^ tables[0][previous & 0xFF];
    }
  }
  return tables;
}

uint32_t LittleEndian32(const unsigned char* b) {
  return uint32_t{b[3]} << 24 | uint32_t{b[2]} << 16 | uint32_t{b[1]} << 8 |
         uint32_t{b[0]};
}

// The chunk at `offset`, or why there is none.
struct Chunk {
  absl::string_view name;
  size_t end;  // Offset behind its checksum.
};

absl::StatusOr<Chunk> ReadChunk(absl::string_view bytes, size_t offset) {
  if (bytes.size() - offset < kChunkOverhead) {
    return absl::DataLossError(absl::StrCat(
        "is cut short: it ends at byte ", bytes.size(),
        " without the end marker of a PNG; copy or extract it again"));
  }
  const size_t length = BigEndian32(&bytes[offset]);
  const absl::string_view name = bytes.substr(offset + 4, 4);
  if (bytes.size() - offset - kChunkOverhead < length) {
    return absl::DataLossError(absl::StrCat(
        "is cut short: its chunk at byte ", offset, " needs ",
        length + kChunkOverhead, " bytes and ", bytes.size() - offset,
        " are left; copy or extract it again"));
  }
  const uint32_t crc = BigEndian32(&bytes[offset + 8 + length]);
  if (crc != Crc32(bytes.substr(offset + 4, 4 + length))) {
    return absl::DataLossError(
        absl::StrCat("is damaged: the checksum of its chunk at byte ", offset,
                     " is wrong; copy or extract it again"));
  }
  return Chunk{name, offset + kChunkOverhead + length};
}

}  // namespace

uint32_t BigEndian32(const char* bytes) {
  const auto* b = reinterpret_cast<const unsigned char*>(bytes);
  return uint32_t{b[0]} << 24 | uint32_t{b[1]} << 16 | uint32_t{b[2]} << 8 |
         uint32_t{b[3]};
}

uint32_t Crc32(absl::string_view bytes) {
  static const CrcTables& tables = *new CrcTables(MakeCrcTables());
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  size_t left = bytes.size();
  uint32_t crc = 0xFFFFFFFFu;
  for (; left >= 8; left -= 8, p += 8) {
    const uint32_t low = crc ^ LittleEndian32(p);
    const uint32_t high = LittleEndian32(p + 4);
    crc = tables[7][low & 0xFF] ^ tables[6][(low >> 8) & 0xFF] ^
          tables[5][(low >> 16) & 0xFF] ^ tables[4][low >> 24] ^
          tables[3][high & 0xFF] ^ tables[2][(high >> 8) & 0xFF] ^
          tables[1][(high >> 16) & 0xFF] ^ tables[0][high >> 24];
  }
  for (; left > 0; --left, ++p) {
    crc = (crc >> 8) ^ tables[0][(crc ^ *p) & 0xFF];
  }
  return crc ^ 0xFFFFFFFFu;
}

absl::Status CheckPngHeader(absl::string_view bytes) {
  if (bytes.empty()) return absl::DataLossError("is empty");
  const absl::string_view start = bytes.substr(0, kSignature.size());
  if (start != kSignature.substr(0, start.size())) {
    return absl::InvalidArgumentError("is not a PNG file");
  }
  if (bytes.size() < kPngHeaderBytes) {
    return absl::DataLossError(absl::StrCat("is cut short: a PNG's header has ",
                                            kPngHeaderBytes,
                                            " bytes, the file ", bytes.size()));
  }
  M2F_ASSIGN_OR_RETURN(const Chunk header, ReadChunk(bytes, kSignature.size()));
  if (header.name != "IHDR" || header.end != kPngHeaderBytes) {
    return absl::DataLossError("is damaged: its first chunk is no PNG header");
  }
  return absl::OkStatus();
}

absl::Status CheckPngChunks(absl::string_view bytes) {
  M2F_RETURN_IF_ERROR(CheckPngHeader(bytes));
  bool has_data = false;
  size_t offset = kPngHeaderBytes;
  while (true) {
    M2F_ASSIGN_OR_RETURN(const Chunk chunk, ReadChunk(bytes, offset));
    if (chunk.name == "IEND") break;
    has_data |= chunk.name == "IDAT";
    offset = chunk.end;
  }
  if (!has_data) {
    return absl::DataLossError("is damaged: it has no picture data");
  }
  return absl::OkStatus();
}

}  // namespace mask2former
