#include "mask2former/data/testing/patterns.h"

#include <cstdint>
#include <iterator>

namespace mask2former {
namespace {

uint32_t Hash(uint32_t value) {
  value = (value + 1) * 0x9E3779B1u;
  value ^= value >> 15;
  value *= 0x85EBCA6Bu;
  return value ^ (value >> 13);
}

constexpr uint32_t kPatternLabels[] = {0,  1,  3,  7,  8,  11, 17, 21,
                                       23, 24, 25, 26, 27, 28, 29, 30,
                                       31, 32, 33, 26, 24, 26};

}  // namespace

cv::Mat NoisePattern(int height, int width, int channels) {
  cv::Mat image(height, width, CV_8UC(channels));
  const uint32_t count = static_cast<uint32_t>(height * width * channels);
  for (uint32_t i = 0; i < count; ++i) {
    image.data[i] = static_cast<uint8_t>(Hash(i) >> 24);
  }
  return image;
}

cv::Mat LabelPattern(int height, int width) {
  cv::Mat label(height, width, CV_8UC1);
  for (int y = 0; y < height; ++y) {
    uint8_t* row = label.ptr<uint8_t>(y);
    for (int x = 0; x < width; ++x) {
      const uint32_t value =
          Hash(static_cast<uint32_t>((y / 8) * 1000 + x / 8)) % 20;
      row[x] = static_cast<uint8_t>(value == 19 ? 255 : value);
    }
  }
  return label;
}

cv::Mat InstanceIdPattern(int height, int width) {
  cv::Mat ids(height, width, CV_16UC1);
  for (int y = 0; y < height; ++y) {
    uint16_t* row = ids.ptr<uint16_t>(y);
    for (int x = 0; x < width; ++x) {
      const uint32_t v = Hash(static_cast<uint32_t>((y / 16) * 999 + x / 16));
      const uint32_t label = kPatternLabels[v % std::size(kPatternLabels)];
      const bool is_instance = label >= 24 && (v >> 8) % 4 > 0;
      row[x] = static_cast<uint16_t>(
          is_instance ? label * 1000 + (v >> 16) % 100 : label);
    }
  }
  return ids;
}

}  // namespace mask2former
