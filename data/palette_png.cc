#include "mask2former/data/palette_png.h"

#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/decode_image.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/png_chunks.h"

namespace mask2former {
namespace {

constexpr size_t kColorTypeAt = 25;
constexpr size_t kHeaderCrcAt = 29;
constexpr int kGray = 0;
constexpr int kPalette = 3;

// The same picture data under a header that says gray, without a palette.
// `bytes` have passed CheckPngChunks().
std::string AsGray(absl::string_view bytes) {
  std::string gray(bytes.substr(0, kPngHeaderBytes));
  gray.at(kColorTypeAt) = kGray;
  const uint32_t crc = Crc32(absl::string_view(gray).substr(12, 17));
  for (int i = 0; i < 4; ++i) {
    gray.at(kHeaderCrcAt + i) = static_cast<char>(crc >> (24 - 8 * i));
  }
  for (size_t at = kPngHeaderBytes; at < bytes.size();) {
    const size_t size = BigEndian32(&bytes[at]) + size_t{12};
    const absl::string_view type = bytes.substr(at + 4, 4);
    if (type == "IDAT" || type == "IEND") gray.append(bytes.data() + at, size);
    at += size;
  }
  return gray;
}

absl::Status CheckWhole(absl::string_view bytes, absl::string_view name) {
  return WithPrefix(absl::StrCat(name, " "), CheckPngChunks(bytes));
}

}  // namespace

absl::StatusOr<cv::Mat> DecodePaletteIndices(absl::string_view bytes,
                                             absl::string_view name) {
  M2F_RETURN_IF_ERROR(CheckWhole(bytes, name));
  M2F_ASSIGN_OR_RETURN(const PngInfo info, ParsePngInfo(bytes, name));
  if ((info.color_type != kPalette && info.color_type != kGray) ||
      info.bit_depth > 8) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, " is ", Describe(info), ", not palette"));
  }
  const std::string gray = AsGray(bytes);
  if (info.bit_depth == 8) return DecodePng(gray, PngFormat::kGray8, name);
  M2F_ASSIGN_OR_RETURN(const cv::Mat stretched,
                       DecodeImage(gray, cv::IMREAD_GRAYSCALE, name));
  return cv::Mat(stretched / (255 / ((1 << info.bit_depth) - 1)));
}

absl::StatusOr<cv::Mat> DecodePaletteColors(absl::string_view bytes,
                                            absl::string_view name) {
  M2F_RETURN_IF_ERROR(CheckWhole(bytes, name));
  M2F_ASSIGN_OR_RETURN(cv::Mat image,
                       DecodeImage(bytes, cv::IMREAD_COLOR, name));
  cv::cvtColor(image, image, cv::COLOR_BGR2RGB);
  return image;
}

}  // namespace mask2former
