#ifndef MASK2FORMER_DATA_PALETTE_PNG_H_
#define MASK2FORMER_DATA_PALETTE_PNG_H_

#include <opencv2/core/mat.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace mask2former {

// The numbers that a palette PNG, or a gray one of 1, 2 or 4 bits, stores for
// its pixels: before any colour is looked up and without being stretched to
// 0..255.
//
//   bytes    of a PNG with 1, 2, 4 or 8 bits a pixel
//   name     for messages
//   returns  [H, W] CV_8UC1
//
// Returns DataLoss if it is damaged, InvalidArgument for another kind of PNG.
absl::StatusOr<cv::Mat> DecodePaletteIndices(absl::string_view bytes,
                                             absl::string_view name);

// The colours of a palette PNG.
//
//   returns  [H, W] CV_8UC3 in the order R, G, B
absl::StatusOr<cv::Mat> DecodePaletteColors(absl::string_view bytes,
                                            absl::string_view name);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_PALETTE_PNG_H_
