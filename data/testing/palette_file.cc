#include "mask2former/data/testing/palette_file.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/png_chunks.h"

namespace mask2former {
namespace {

std::string BigEndian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift));
  }
  return bytes;
}

std::string Chunk(absl::string_view type, const std::string& data) {
  const std::string checked = absl::StrCat(type, data);
  return absl::StrCat(BigEndian(static_cast<uint32_t>(data.size())), checked,
                      BigEndian(Crc32(checked)));
}

// A zlib stream of one stored block.
std::string Stored(const std::string& data) {
  const auto size = static_cast<uint16_t>(data.size());
  std::string stream = "\x78\x01\x01";
  for (const uint16_t value : {size, static_cast<uint16_t>(~size)}) {
    stream.push_back(static_cast<char>(value));
    stream.push_back(static_cast<char>(value >> 8));
  }
  uint32_t a = 1;
  uint32_t b = 0;
  for (const char c : data) {
    a = (a + static_cast<unsigned char>(c)) % 65521;
    b = (b + a) % 65521;
  }
  return absl::StrCat(stream, data, BigEndian(b << 16 | a));
}

}  // namespace

std::string PalettePng(const cv::Mat& indices, int bits) {
  std::string rows;
  for (int y = 0; y < indices.rows; ++y) {
    rows.push_back(0);  // No filter.
    int filled = 0;
    unsigned char byte = 0;
    for (int x = 0; x < indices.cols; ++x) {
      byte =
          static_cast<unsigned char>(byte << bits | indices.at<uint8_t>(y, x));
      filled += bits;
      if (filled == 8 || x + 1 == indices.cols) {
        rows.push_back(static_cast<char>(byte << (8 - filled)));
        filled = 0;
        byte = 0;
      }
    }
  }
  std::string palette;
  for (int i = 0; i < 1 << bits; ++i) {
    for (const int factor : {10, 20, 30}) {
      palette.push_back(static_cast<char>(i * factor));
    }
  }
  const std::string header = absl::StrCat(
      BigEndian(static_cast<uint32_t>(indices.cols)),
      BigEndian(static_cast<uint32_t>(indices.rows)),
      std::string({static_cast<char>(bits), '\3', '\0', '\0', '\0'}));
  return absl::StrCat("\x89PNG\r\n\x1a\n", Chunk("IHDR", header),
                      Chunk("PLTE", palette), Chunk("IDAT", Stored(rows)),
                      Chunk("IEND", ""));
}

}  // namespace mask2former
