#include "mask2former/data/testing/palette_file.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "mask2former/data/testing/png_bytes.h"

namespace mask2former {

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
      PngNumber(static_cast<uint32_t>(indices.cols)),
      PngNumber(static_cast<uint32_t>(indices.rows)),
      std::string({static_cast<char>(bits), '\3', '\0', '\0', '\0'}));
  return absl::StrCat(kPngSignature, PngChunk("IHDR", header),
                      PngChunk("PLTE", palette),
                      PngChunk("IDAT", StoredZlib(rows)), PngChunk("IEND", ""));
}

}  // namespace mask2former
