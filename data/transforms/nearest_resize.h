#ifndef MASK2FORMER_DATA_TRANSFORMS_NEAREST_RESIZE_H_
#define MASK2FORMER_DATA_TRANSFORMS_NEAREST_RESIZE_H_

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

#include "mask2former/data/transforms/resized_size.h"

namespace mask2former {

// Resizes a label image: result pixel i reads source pixel floor(i * in / out),
// exactly. That is what PyTorch's interpolate(mode = "nearest") does to
// doubles; Pillow's and OpenCV's rules pick other pixels.
//
//   label    [H, W] CV_8UC1
//   size     of the whole result, >= 1
//   region   part of the result to compute, inside it
//   returns  [region.height, region.width] CV_8UC1
//
// Throws c10::Error on other types, an empty image or a region outside.
cv::Mat ResizeNearest(const cv::Mat& label, const ImageSize& size,
                      const cv::Rect& region);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRANSFORMS_NEAREST_RESIZE_H_
