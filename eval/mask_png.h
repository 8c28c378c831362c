#ifndef MASK2FORMER_EVAL_MASK_PNG_H_
#define MASK2FORMER_EVAL_MASK_PNG_H_

#include <opencv2/core/mat.hpp>
#include <string>

#include "absl/status/statusor.h"

namespace mask2former {

// Reads the mask of a predicted instance as CV_8UC1, not 0 inside. Any PNG will
// do; colours, also those of a palette, are inside unless their luminance
// rounds to 0, and transparency is ignored.
//
// Returns InvalidArgument if it is no PNG, DataLoss if it is damaged, NotFound
// and the like if it cannot be read; the message names it.
absl::StatusOr<cv::Mat> ReadMaskPng(const std::string& path);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_MASK_PNG_H_
