#include "mask2former/data/transforms/color.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <opencv2/core.hpp>
#include <string>
#include <vector>

#include "mask2former/data/testing/golden_checksums.h"
#include "mask2former/data/testing/patterns.h"

namespace mask2former {
namespace {

ColorJitter Jitter(std::optional<float> brightness,
                   std::optional<float> contrast,
                   std::optional<float> saturation, std::optional<int> hue,
                   bool contrast_first) {
  ColorJitter jitter;
  jitter.brightness = brightness;
  jitter.contrast = contrast;
  jitter.saturation = saturation;
  jitter.hue = hue;
  jitter.contrast_first = contrast_first;
  return jitter;
}

cv::Vec3b Applied(const ColorJitter& jitter, const cv::Vec3b& pixel) {
  cv::Mat image(1, 1, CV_8UC3, pixel);
  ApplyColorJitter(jitter, image);
  return image.at<cv::Vec3b>(0, 0);
}

TEST(ColorJitterTest, EqualsTheReference) {
  const std::optional<float> none;
  const std::vector<ColorJitter> jitters = {
      Jitter(20.5f, none, none, {}, true),
      Jitter(-31.75f, 1.4f, none, {}, false),
      Jitter(none, 0.55f, none, {}, true),
      Jitter(none, none, 1.37f, {}, true),
      Jitter(none, none, 0.61f, {}, true),
      Jitter(none, none, none, 18, true),
      Jitter(none, none, none, -18, true),
      Jitter(none, none, none, 7, false),
      Jitter(12.3f, 1.23f, 0.77f, -5, true),
      Jitter(12.3f, 1.23f, 0.77f, -5, false),
      Jitter(-7.9f, 0.83f, 1.44f, 13, true),
      Jitter(none, 1.5f, 1.5f, 1, false),
      Jitter(none, none, none, {}, true),
  };
  for (size_t i = 0; i < jitters.size(); ++i) {
    cv::Mat image = NoisePattern(96, 128, 3);
    ApplyColorJitter(jitters[i], image);
    EXPECT_EQ(Checksum(image), GoldenChecksum("color " + std::to_string(i)))
        << i;
  }
}

TEST(ColorJitterTest, CutsFractionsOffAndClips) {
  EXPECT_EQ(Applied(Jitter(0.9f, {}, {}, {}, true), {10, 0, 255}),
            cv::Vec3b(10, 0, 255));
  EXPECT_EQ(Applied(Jitter(-0.1f, {}, {}, {}, true), {10, 0, 255}),
            cv::Vec3b(9, 0, 254));
  EXPECT_EQ(Applied(Jitter({}, 1.5f, {}, {}, true), {11, 169, 200}),
            cv::Vec3b(16, 253, 255));
}

TEST(ColorJitterTest, HueTurnsAround) {
  // Red, hue 0, less 15 steps of 2 degrees: hue 330.
  EXPECT_EQ(Applied(Jitter({}, {}, {}, -15, true), {255, 0, 0}),
            cv::Vec3b(255, 0, 127));
}

TEST(ColorJitterTest, LargePicturesEqualTheirParts) {
  const ColorJitter jitter = Jitter(3.0f, 1.1f, 1.2f, 9, true);
  cv::Mat whole = NoisePattern(300, 257, 3);
  cv::Mat part = whole(cv::Rect(0, 130, 257, 20)).clone();
  ApplyColorJitter(jitter, whole);
  ApplyColorJitter(jitter, part);
  EXPECT_EQ(cv::norm(whole(cv::Rect(0, 130, 257, 20)), part, cv::NORM_INF),
            0.0);
}

TEST(ColorJitterTest, RefusesOtherTypes) {
  cv::Mat gray(2, 2, CV_8UC1);
  EXPECT_THROW(ApplyColorJitter({}, gray), c10::Error);
}

TEST(DrawColorJitterTest, StepsAreIndependentCoinsInTheirRanges) {
  constexpr int kDraws = 4000;
  int brightness = 0, contrast = 0, saturation = 0, hue = 0, first = 0;
  int lowest = 0, highest = 0;
  for (int i = 0; i < kDraws; ++i) {
    SampleRandom random(1, i);
    const ColorJitter jitter = DrawColorJitter(random);
    brightness += jitter.brightness.has_value();
    contrast += jitter.contrast.has_value();
    saturation += jitter.saturation.has_value();
    hue += jitter.hue.has_value();
    first += jitter.contrast_first;
    EXPECT_LE(std::abs(jitter.brightness.value_or(0.0f)), 32.0f);
    EXPECT_LE(std::abs(jitter.contrast.value_or(1.0f) - 1.0f), 0.5f);
    EXPECT_LE(std::abs(jitter.saturation.value_or(1.0f) - 1.0f), 0.5f);
    lowest = std::min(lowest, jitter.hue.value_or(0));
    highest = std::max(highest, jitter.hue.value_or(0));
  }
  // Five standard deviations of 4000 fair coins.
  for (const int count : {brightness, contrast, saturation, hue, first}) {
    EXPECT_NEAR(count, kDraws / 2, 160);
  }
  EXPECT_EQ(lowest, -18);
  EXPECT_EQ(highest, 18);
}

}  // namespace
}  // namespace mask2former
