#ifndef MASK2FORMER_DATA_TRANSFORMS_COLOR_H_
#define MASK2FORMER_DATA_TRANSFORMS_COLOR_H_

#include <opencv2/core/mat.hpp>
#include <optional>

#include "mask2former/data/sample_random.h"

namespace mask2former {

// One draw of the photometric distortion. What is not set does not happen.
struct ColorJitter {
  std::optional<float> brightness;  // Added, -32 .. 32.
  std::optional<float> contrast;    // Factor, 0.5 .. 1.5.
  std::optional<float> saturation;  // Factor, 0.5 .. 1.5.
  std::optional<int> hue;           // Added, in steps of 2 degrees, -18 .. 18.
  // Contrast before saturation and hue, else behind them.
  bool contrast_first = true;
};

// Each step with probability 1/2. Draws happen in the order in which the steps
// are applied, a value only if its step happens.
ColorJitter DrawColorJitter(SampleRandom& random);

// Applies brightness, then contrast, saturation and hue in the order that
// `jitter` says, in place.
//
//   image  [H, W] CV_8UC3 in the order R, G, B
//
// Every step clips to 0..255 and cuts the fraction off. Saturation and hue each
// go to 8-bit HSV (hue 0..179) and back on their own, so each loses precision.
// Runs in the caller's thread. Where W is no multiple of 64, OpenCV's versions
// may differ by 1 in the last columns.
//
// Source: Liu et al., "SSD: Single Shot MultiBox Detector", ECCV 2016, data
// augmentation of the published code.
void ApplyColorJitter(const ColorJitter& jitter, cv::Mat& image);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRANSFORMS_COLOR_H_
