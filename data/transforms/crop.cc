#include "mask2former/data/transforms/crop.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace mask2former {

cv::Rect DrawCrop(const ImageSize& size, const ImageSize& crop,
                  SampleRandom& random) {
  const int64_t height = std::min(crop.height, size.height);
  const int64_t width = std::min(crop.width, size.width);
  const int64_t y = random.Integer(0, size.height - height);
  const int64_t x = random.Integer(0, size.width - width);
  return cv::Rect(static_cast<int>(x), static_cast<int>(y),
                  static_cast<int>(width), static_cast<int>(height));
}

bool IsVariedCrop(const cv::Mat& label, double max_share) {
  std::array<int64_t, 256> counts{};
  for (int y = 0; y < label.rows; ++y) {
    const uint8_t* row = label.ptr<uint8_t>(y);
    for (int x = 0; x < label.cols; ++x) ++counts[row[x]];
  }
  int classes = 0;
  int64_t total = 0;
  int64_t largest = 0;
  for (int value = 0; value < 255; ++value) {
    classes += counts[value] > 0;
    total += counts[value];
    largest = std::max(largest, counts[value]);
  }
  return classes > 1 &&
         static_cast<double>(largest) < max_share * static_cast<double>(total);
}

}  // namespace mask2former
