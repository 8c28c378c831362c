#include "mask2former/data/testing/patterns.h"

#include <cstdint>

namespace mask2former {
namespace {

uint32_t Hash(uint32_t value) {
  value = (value + 1) * 0x9E3779B1u;
  value ^= value >> 15;
  value *= 0x85EBCA6Bu;
  return value ^ (value >> 13);
}

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

}  // namespace mask2former
