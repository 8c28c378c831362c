#ifndef MASK2FORMER_DATA_DECODE_IMAGE_H_
#define MASK2FORMER_DATA_DECODE_IMAGE_H_

#include <opencv2/core/mat.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// cv::imdecode() without exceptions. OpenCV fills what is missing of a file
// that was cut short, so see first that it is whole (png_chunks.h).
//
//   bytes    a whole file of a format that OpenCV knows
//   flags    cv::IMREAD_COLOR, ...
//   name     for messages; a path
//   returns  [H, W], colours in OpenCV's order B, G, R
//
// Returns DataLoss, with `name`, if it cannot be decoded.
absl::StatusOr<cv::Mat> DecodeImage(absl::string_view bytes, int flags,
                                    absl::string_view name);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_DECODE_IMAGE_H_
