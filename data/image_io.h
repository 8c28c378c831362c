#ifndef MASK2FORMER_DATA_IMAGE_IO_H_
#define MASK2FORMER_DATA_IMAGE_IO_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// What a PNG must hold, and the cv::Mat that it becomes.
enum class PngFormat {
  kRgb8,    // CV_8UC3, channels in the order R, G, B (not OpenCV's B, G, R).
  kGray8,   // CV_8UC1, e.g. *_gtFine_labelIds.png
  kGray16,  // CV_16UC1, e.g. *_gtFine_instanceIds.png
};

// What a PNG says of itself.
struct PngInfo {
  int64_t height = 0;
  int64_t width = 0;
  int bit_depth = 0;   // 1, 2, 4, 8 or 16 bits a channel.
  int color_type = 0;  // 0 gray, 2 RGB, 3 palette, 4 gray + alpha, 6 RGBA.
};

// "8-bit RGB", "16-bit gray", "8-bit palette", ...
std::string Describe(const PngInfo& info);

// Decodes a PNG that must be of exactly this format: nothing is converted,
// since a label converted from colour or palette is no label any more.
//
//   bytes  the whole file
//   name   for messages; a path
//
// Every chunk's length and checksum is verified before decoding, so that a
// file cut short is an error and never a half-filled image.
//
// Returns DataLoss if the file is damaged, InvalidArgument if it is whole but
// not a PNG of this format; the message names the file, what it is and what
// was wanted.
absl::StatusOr<cv::Mat> DecodePng(absl::string_view bytes, PngFormat format,
                                  absl::string_view name);

// The same from disk, or out of a zip archive (see data_files.h). Also returns
// NotFound if there is no such file.
absl::StatusOr<cv::Mat> ReadPng(const std::string& path, PngFormat format);

// Whether a PNG of this kind can become `format`.
//
// Returns InvalidArgument that says what `name` is, what was wanted and the
// likely way out.
absl::Status CheckPngFormat(const PngInfo& info, PngFormat format,
                            absl::string_view name);

// Reads only the header: 33 bytes.
absl::StatusOr<PngInfo> ReadPngInfo(const std::string& path);

// The header of a PNG in memory; `name` is for messages.
absl::StatusOr<PngInfo> ParsePngInfo(absl::string_view bytes,
                                     absl::string_view name);

// Reads a picture of any format that OpenCV knows (PNG, JPEG, ...), gray,
// palette and deeper ones included, as CV_8UC3 in the order R, G, B. For
// pictures to predict on; labels and training data go through ReadPng().
absl::StatusOr<cv::Mat> ReadImageAsRgb(const std::string& path);

// PNG bytes of a CV_8UC3 (R, G, B), CV_8UC1 or CV_16UC1 image.
absl::StatusOr<std::string> EncodePng(const cv::Mat& image);

// Writes such an image so that `path` holds either all of it or what it held
// before; its folder must exist.
absl::Status WritePngAtomically(const std::string& path, const cv::Mat& image);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_IMAGE_IO_H_
