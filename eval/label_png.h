#ifndef MASK2FORMER_EVAL_LABEL_PNG_H_
#define MASK2FORMER_EVAL_LABEL_PNG_H_

#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace mask2former {

// Reads a predicted label map: 8-bit gray, or a palette PNG, whose pixels are
// the palette's indices and not its colours (as segmentation toolboxes write
// it, to be looked at). CV_8UC1.
//
// Returns InvalidArgument for other PNGs, DataLoss for damaged ones, NotFound
// and the like if the file cannot be read; the message names it.
absl::StatusOr<cv::Mat> ReadLabelPng(const std::string& path);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_LABEL_PNG_H_
