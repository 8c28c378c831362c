#include "mask2former/data/transforms/color.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <opencv2/imgproc.hpp>

namespace mask2former {
namespace {

using Table = std::array<uint8_t, 256>;

constexpr int kHues = 180;
// OpenCV gives pieces up to this size no threads of its own: the caller has its
// threads already. They also stay in the cache.
constexpr int kPixelsAtATime = 1 << 15;

// value -> value * factor + offset, in float, clipped, cut to 8 bits.
Table Linear(float factor, float offset) {
  Table table;
  for (int value = 0; value < 256; ++value) {
    const float result = static_cast<float>(value) * factor + offset;
    table[value] = static_cast<uint8_t>(std::clamp(result, 0.0f, 255.0f));
  }
  return table;
}

Table HueShift(int shift) {
  Table table;
  for (int value = 0; value < 256; ++value) {
    table[value] = static_cast<uint8_t>((value + shift + kHues) % kHues);
  }
  return table;
}

void MapAll(const Table& table, cv::Mat& image) {
  for (int y = 0; y < image.rows; ++y) {
    uint8_t* row = image.ptr<uint8_t>(y);
    for (int i = 0; i < 3 * image.cols; ++i) row[i] = table[row[i]];
  }
}

// To HSV, `table` on one channel of it, and back.
void MapInHsv(const Table& table, int channel, cv::Mat& image, cv::Mat& hsv) {
  cv::cvtColor(image, hsv, cv::COLOR_RGB2HSV);
  for (int y = 0; y < hsv.rows; ++y) {
    uint8_t* row = hsv.ptr<uint8_t>(y) + channel;
    for (int x = 0; x < hsv.cols; ++x) row[3 * x] = table[row[3 * x]];
  }
  cv::cvtColor(hsv, image, cv::COLOR_HSV2RGB);
}

}  // namespace

ColorJitter DrawColorJitter(SampleRandom& random) {
  ColorJitter jitter;
  const auto draw_contrast = [&] {
    if (random.Coin()) {
      jitter.contrast = static_cast<float>(random.Uniform(0.5, 1.5));
    }
  };
  if (random.Coin()) {
    jitter.brightness = static_cast<float>(random.Uniform(-32.0, 32.0));
  }
  jitter.contrast_first = random.Coin();
  if (jitter.contrast_first) draw_contrast();
  if (random.Coin()) {
    jitter.saturation = static_cast<float>(random.Uniform(0.5, 1.5));
  }
  if (random.Coin()) {
    jitter.hue = static_cast<int>(random.Integer(-18, 18));
  }
  if (!jitter.contrast_first) draw_contrast();
  return jitter;
}

void ApplyColorJitter(const ColorJitter& jitter, cv::Mat& image) {
  TORCH_CHECK(image.type() == CV_8UC3, "image must be CV_8UC3");
  cv::Mat hsv;
  const int rows = std::max(1, kPixelsAtATime / std::max(1, image.cols));
  for (int y = 0; y < image.rows; y += rows) {
    cv::Mat piece = image.rowRange(y, std::min(y + rows, image.rows));
    if (jitter.brightness) MapAll(Linear(1.0f, *jitter.brightness), piece);
    if (jitter.contrast && jitter.contrast_first) {
      MapAll(Linear(*jitter.contrast, 0.0f), piece);
    }
    if (jitter.saturation) {
      MapInHsv(Linear(*jitter.saturation, 0.0f), 1, piece, hsv);
    }
    if (jitter.hue) MapInHsv(HueShift(*jitter.hue), 0, piece, hsv);
    if (jitter.contrast && !jitter.contrast_first) {
      MapAll(Linear(*jitter.contrast, 0.0f), piece);
    }
  }
}

}  // namespace mask2former
