#ifndef MASK2FORMER_DATA_PNG_DECODER_H_
#define MASK2FORMER_DATA_PNG_DECODER_H_

#include <opencv2/core/mat.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// Decodes the kinds of PNG that labels and masks come in: 8-bit gray
// (CV_8UC1), 16-bit gray (CV_16UC1) and 8-bit RGB (CV_8UC3, in the order R, G,
// B), without interlacing and transparent colour. Several times as fast as
// libpng on them: their long runs are unfiltered by words.
//
//   png  has passed CheckPngChunks()
//
// Returns Unimplemented for other kinds: leave them to OpenCV. DataLoss if the
// picture data are damaged. Messages do not name the file.
//
// Source: ISO/IEC 15948:2004 (PNG), section 9.
absl::StatusOr<cv::Mat> DecodeLabelPng(absl::string_view png);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_PNG_DECODER_H_
