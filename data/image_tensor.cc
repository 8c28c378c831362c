#include "mask2former/data/image_tensor.h"

#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include "mask2former/data/transforms/pil_resize.h"
#include "mask2former/data/transforms/resized_size.h"

namespace mask2former {

at::Tensor ImageToTensor(const cv::Mat& image) {
  TORCH_CHECK(image.type() == CV_8UC3, "image must be CV_8UC3");
  at::Tensor tensor = at::empty({3, image.rows, image.cols}, at::kByte);
  const auto plane = static_cast<int64_t>(image.rows) * image.cols;
  auto* red = tensor.mutable_data_ptr<uint8_t>();
  uint8_t* green = red + plane;
  uint8_t* blue = green + plane;
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* row = image.ptr<uint8_t>(y);
    for (int x = 0; x < image.cols; ++x) {
      red[x] = row[3 * x];
      green[x] = row[3 * x + 1];
      blue[x] = row[3 * x + 2];
    }
    red += image.cols;
    green += image.cols;
    blue += image.cols;
  }
  return tensor;
}

at::Tensor MakeTestImage(const cv::Mat& image, int64_t min_size,
                         int64_t max_size) {
  const ImageSize size{image.rows, image.cols};
  const ImageSize resized = ResizedSize(size, min_size, max_size);
  return ImageToTensor(resized == size ? image
                                       : PilResizeBilinear(image, resized));
}

}  // namespace mask2former
