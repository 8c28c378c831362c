#include "mask2former/eval/mask_png.h"

#include <cstdint>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/png_chunks.h"
#include "mask2former/data/png_decoder.h"

namespace mask2former {
namespace {

constexpr size_t kBitDepth = 24;  // Offsets in the file.
constexpr size_t kColorType = 25;
constexpr char kGray = 0;

// ITU-R BT.601 in 16 bits, rounded: what the official program's library makes
// of colours.
uint8_t Luminance(const cv::Vec3b& bgr) {
  return static_cast<uint8_t>(
      (19595 * bgr[2] + 38470 * bgr[1] + 7471 * bgr[0] + 0x8000) >> 16);
}

cv::Mat ToMask(const cv::Mat& image) {
  cv::Mat mask(image.size(), CV_8UC1);
  for (int y = 0; y < image.rows; ++y) {
    for (int x = 0; x < image.cols; ++x) {
      uint8_t& inside = mask.at<uint8_t>(y, x);
      if (image.type() == CV_16UC1) {
        inside = image.at<uint16_t>(y, x) == 0 ? 0 : 255;
      } else {
        inside = Luminance(image.at<cv::Vec3b>(y, x));
      }
    }
  }
  return mask;
}

}  // namespace

absl::StatusOr<cv::Mat> ReadMaskPng(const std::string& path) {
  M2F_ASSIGN_OR_RETURN(std::string bytes, ReadFile(path));
  M2F_RETURN_IF_ERROR(
      WithPrefix(absl::StrCat(path, " "), CheckPngChunks(bytes)));
  const bool is_gray8 = bytes[kColorType] == kGray && bytes[kBitDepth] == 8;
  if (is_gray8) {
    absl::StatusOr<cv::Mat> fast = DecodeLabelPng(bytes);
    if (fast.ok()) return fast;
    if (!absl::IsUnimplemented(fast.status())) {
      return WithPrefix(absl::StrCat(path, " cannot be decoded: "),
                        fast.status());
    }
  }
  const cv::Mat buffer(1, static_cast<int>(bytes.size()), CV_8UC1,
                       bytes.data());
  const bool is_gray = bytes[kColorType] == kGray;
  cv::Mat image;
  try {
    image =
        cv::imdecode(buffer, is_gray ? cv::IMREAD_ANYDEPTH : cv::IMREAD_COLOR);
  } catch (const cv::Exception& e) {
    return absl::DataLossError(
        absl::StrCat(path, " cannot be decoded: ", e.what()));
  }
  if (image.empty()) {
    return absl::DataLossError(
        absl::StrCat(path, " cannot be decoded: its picture data are damaged"));
  }
  if (image.type() == CV_8UC1) return image;
  return ToMask(image);
}

}  // namespace mask2former
