#ifndef MASK2FORMER_DATA_IMAGE_TENSOR_H_
#define MASK2FORMER_DATA_IMAGE_TENSOR_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <opencv2/core/mat.hpp>

namespace mask2former {

// A picture as the model takes it.
//
//   image    [H, W] CV_8UC3 in the order R, G, B
//   returns  [3, H, W] uint8, a copy
//
// Throws c10::Error on another type.
at::Tensor ImageToTensor(const cv::Mat& image);

// A picture resized for testing: Pillow's bilinear filter to a shorter edge of
// `min_size` pixels, unless the longer one would exceed `max_size`. For
// Cityscapes and the official 1024 and 2048 nothing is resized.
//
//   image    [H, W] CV_8UC3 in the order R, G, B
//   returns  [3, H', W'] uint8
at::Tensor MakeTestImage(const cv::Mat& image, int64_t min_size,
                         int64_t max_size);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_IMAGE_TENSOR_H_
