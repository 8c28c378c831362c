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
//   label    [H, W] CV_8UC1 or CV_16UC1
//   size     of the whole result, >= 1
//   region   part of the result to compute, inside it
//   returns  [region.height, region.width] of the label's type
//
// Throws c10::Error on other types, an empty image or a region outside.
cv::Mat ResizeNearest(const cv::Mat& label, const ImageSize& size,
                      const cv::Rect& region);

// The same by Pillow's NEAREST: result pixel i reads the source pixel that its
// centre falls on, (i + 0.5) * in / out rounded down, where the positions are
// added up step by step in double.
//
// Source: Pillow 10.4, Image.resize(); checked against its output.
cv::Mat ResizeNearestCentre(const cv::Mat& label, const ImageSize& size,
                            const cv::Rect& region);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRANSFORMS_NEAREST_RESIZE_H_
