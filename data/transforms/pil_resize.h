#ifndef MASK2FORMER_DATA_TRANSFORMS_PIL_RESIZE_H_
#define MASK2FORMER_DATA_TRANSFORMS_PIL_RESIZE_H_

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>

#include "mask2former/data/transforms/resized_size.h"

namespace mask2former {

// Resizes a picture bit for bit as Pillow's BILINEAR: a triangle filter that
// widens when shrinking (anti-aliasing), columns first, then rows, each rounded
// to 8 bits, weights in 22-bit fixed point.
//
//   image    [H, W] CV_8UC1 or CV_8UC3
//   size     of the whole result, >= 1
//   region   part of the result to compute, inside it; all by default
//   returns  [region.height, region.width] of the image's type; the same as
//            cropping the whole result, at a fraction of its cost
//
// Runs in the caller's thread.
//
// Throws c10::Error on other types, an empty image or a region outside.
//
// Source: Pillow 10.4, ImagingResample; checked against its output.
cv::Mat PilResizeBilinear(const cv::Mat& image, const ImageSize& size);
cv::Mat PilResizeBilinear(const cv::Mat& image, const ImageSize& size,
                          const cv::Rect& region);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRANSFORMS_PIL_RESIZE_H_
