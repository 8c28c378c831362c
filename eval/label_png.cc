#include "mask2former/eval/label_png.h"

#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/png_chunks.h"

namespace mask2former {
namespace {

// Offsets in a PNG: signature 8, then chunks of length 4, type 4, data, CRC 4.
constexpr size_t kSignature = 8;
constexpr size_t kChunkOverhead = 12;
constexpr size_t kBitDepth = 24;
constexpr size_t kColorType = 25;

constexpr char kGray = 0;
constexpr char kPalette = 3;

uint32_t BigEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (const unsigned char byte : bytes.substr(0, 4)) value = value << 8 | byte;
  return value;
}

// The same pixels as a gray image: its header says so and the palette is left
// out. Decoders turn palette images into colours; there is no way to ask
// OpenCV's for the indices. `png` is known to be whole.
std::string PaletteToGray(absl::string_view png) {
  std::string gray(png.substr(0, kSignature));
  for (size_t at = kSignature; at < png.size();) {
    const size_t size = BigEndian(png.substr(at)) + kChunkOverhead;
    std::string chunk(png.substr(at, size));
    at += size;
    const std::string type = chunk.substr(4, 4);
    if (type == "PLTE" || type == "tRNS" || type == "bKGD" || type == "hIST" ||
        type == "sBIT") {
      continue;
    }
    if (type == "IHDR") {
      chunk[kColorType - kSignature] = kGray;
      const uint32_t crc =
          Crc32(absl::string_view(chunk).substr(4, chunk.size() - 8));
      for (int i = 0; i < 4; ++i) {
        chunk[chunk.size() - 4 + i] = static_cast<char>(crc >> (24 - 8 * i));
      }
    }
    gray += chunk;
  }
  return gray;
}

absl::StatusOr<cv::Mat> DecodePalette(const std::string& bytes,
                                      const std::string& path) {
  std::string gray = PaletteToGray(bytes);
  const cv::Mat buffer(1, static_cast<int>(gray.size()), CV_8UC1, gray.data());
  cv::Mat image;
  try {
    image = cv::imdecode(buffer, cv::IMREAD_UNCHANGED);
  } catch (const cv::Exception& e) {
    return absl::DataLossError(
        absl::StrCat(path, " cannot be decoded: ", e.what()));
  }
  if (image.type() != CV_8UC1) {
    return absl::DataLossError(absl::StrCat(path, " cannot be decoded"));
  }
  // Gray of fewer bits is stretched to 0..255.
  const int largest = (1 << bytes[kBitDepth]) - 1;
  if (largest < 255) image /= 255 / largest;
  return image;
}

}  // namespace

absl::StatusOr<cv::Mat> ReadLabelPng(const std::string& path) {
  M2F_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path));
  absl::StatusOr<cv::Mat> image = DecodePng(bytes, PngFormat::kGray8, path);
  // Anything else than InvalidArgument: damaged, or not a PNG at all.
  if (image.ok() || !absl::IsInvalidArgument(image.status()) ||
      bytes.size() <= kColorType) {
    return image;
  }
  if (bytes[kColorType] == kPalette) return DecodePalette(bytes, path);
  const absl::StatusOr<PngInfo> info = ReadPngInfo(path);
  if (!info.ok()) return image;
  return absl::InvalidArgumentError(absl::StrCat(
      path, " is ", Describe(*info),
      "; a prediction must be 8-bit gray or palette, one label id per pixel: "
      "write the label map itself, not a picture of it"));
}

}  // namespace mask2former
