#include "mask2former/data/transforms/pad.h"

#include <c10/util/Exception.h>

#include <opencv2/core.hpp>

namespace mask2former {

cv::Mat PadTo(const cv::Mat& image, const ImageSize& size, uint8_t value) {
  TORCH_CHECK(image.rows <= size.height && image.cols <= size.width,
              "an image of ", image.rows, " x ", image.cols,
              " cannot be padded to ", size.height, " x ", size.width);
  cv::Mat result(static_cast<int>(size.height), static_cast<int>(size.width),
                 image.type(), cv::Scalar::all(value));
  image.copyTo(result(cv::Rect(0, 0, image.cols, image.rows)));
  return result;
}

}  // namespace mask2former
