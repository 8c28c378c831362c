#ifndef MASK2FORMER_DATA_TRANSFORMS_PAD_H_
#define MASK2FORMER_DATA_TRANSFORMS_PAD_H_

#include <opencv2/core/mat.hpp>

#include "mask2former/data/transforms/resized_size.h"

namespace mask2former {

// Extends an image to `size` at the right and below, every new channel value
// being `value`.
//
//   image  [H, W] of any type; not larger than `size`
//
// Throws c10::Error if it is larger.
cv::Mat PadTo(const cv::Mat& image, const ImageSize& size, uint8_t value);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRANSFORMS_PAD_H_
