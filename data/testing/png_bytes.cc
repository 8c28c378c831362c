#include "mask2former/data/testing/png_bytes.h"

#include "absl/strings/str_cat.h"
#include "mask2former/data/png_chunks.h"

namespace mask2former {

std::string PngNumber(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift));
  }
  return bytes;
}

std::string PngChunk(absl::string_view type, absl::string_view data) {
  const std::string checked = absl::StrCat(type, data);
  return absl::StrCat(PngNumber(static_cast<uint32_t>(data.size())), checked,
                      PngNumber(Crc32(checked)));
}

std::string StoredZlib(const std::string& data) {
  std::string stream = "\x78\x01";
  for (size_t at = 0; at < data.size(); at += 1000) {
    const std::string block = data.substr(at, 1000);
    const uint32_t size = static_cast<uint32_t>(block.size());
    stream += static_cast<char>(at + 1000 >= data.size());
    for (const uint32_t n : {size, size ^ 0xFFFF}) {
      stream += static_cast<char>(n);
      stream += static_cast<char>(n >> 8);
    }
    stream += block;
  }
  uint32_t a = 1, b = 0;
  for (const unsigned char byte : data) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return stream + PngNumber(b << 16 | a);
}

}  // namespace mask2former
