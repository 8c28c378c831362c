#include "mask2former/eval/instance_overlaps.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <opencv2/core.hpp>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

constexpr int kValues = 1 << 16;

int LabelOf(int value) { return value < 1000 ? value : value / 1000; }

bool IsVoid(int value) {
  return value < kCityscapesLabelIds &&
         CityscapesLabels()[value].ignore_in_eval;
}

// Values come in long runs: four pixels at a time where all are alike.
void CountValues(const uint16_t* values, int width,
                 std::vector<int64_t>& counts) {
  int x = 0;
  for (; x + 4 <= width; x += 4) {
    uint64_t four;
    std::memcpy(&four, values + x, 8);
    if (four == values[x] * uint64_t{0x0001000100010001}) {
      counts[values[x]] += 4;
    } else {
      for (int i = x; i < x + 4; ++i) ++counts[values[i]];
    }
  }
  for (; x < width; ++x) ++counts[values[x]];
}

bool IsEmpty64(const uint8_t* mask) {
  std::array<uint64_t, 8> words;
  std::memcpy(words.data(), mask, 64);
  return (words[0] | words[1] | words[2] | words[3] | words[4] | words[5] |
          words[6] | words[7]) == 0;
}

// The same inside a mask, most of which is empty.
void CountInside(const uint16_t* values, const uint8_t* mask, int width,
                 std::vector<int64_t>& counts) {
  int x = 0;
  while (x < width) {
    while (x + 64 <= width && IsEmpty64(mask + x)) x += 64;
    uint64_t eight;
    if (x + 8 <= width && (std::memcpy(&eight, mask + x, 8), eight == 0)) {
      x += 8;
      continue;
    }
    const int end = std::min(x + 8, width);
    while (x < end && mask[x] == 0) ++x;
    const int start = x;
    while (x < width && mask[x] != 0) ++x;
    CountValues(values + start, x - start, counts);
  }
}

std::string FirstPixel(const cv::Mat& instances, int value) {
  for (int y = 0; y < instances.rows; ++y) {
    const uint16_t* const row = instances.ptr<uint16_t>(y);
    const uint16_t* const end = row + instances.cols;
    const uint16_t* const found = std::find(row, end, value);
    if (found != end) {
      return absl::StrCat("row ", y, ", column ", found - row);
    }
  }
  return "nowhere";
}

}  // namespace

int InstanceClassIndex(int label_id) {
  const auto* const found =
      std::find(kInstanceLabelIds.begin(), kInstanceLabelIds.end(), label_id);
  return found == kInstanceLabelIds.end()
             ? -1
             : static_cast<int>(found - kInstanceLabelIds.begin());
}

absl::StatusOr<InstanceOverlaps> InstanceOverlaps::Create(
    const cv::Mat& instances) {
  if (instances.empty() || instances.type() != CV_16UC1) {
    return absl::InvalidArgumentError(
        "the instance image must be gray with 16 bits per pixel, and not "
        "empty");
  }
  InstanceOverlaps result;
  result.instances_ = instances;
  result.counts_.resize(kValues);
  for (int y = 0; y < instances.rows; ++y) {
    CountValues(instances.ptr<uint16_t>(y), instances.cols, result.counts_);
  }
  for (int value = 0; value < kValues; ++value) {
    const int64_t pixels = std::exchange(result.counts_[value], 0);
    if (pixels == 0) continue;
    const int label = LabelOf(value);
    if (label >= kCityscapesLabelIds) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the instance image has the value ", value, " at ", pixels,
          " pixels, first at ", FirstPixel(instances, value),
          ", which has no class: values are label ids 0..33, or a label id "
          "times 1000 plus a number, up to 33999"));
    }
    const int class_index = InstanceClassIndex(label);
    result.values_.push_back(value);
    result.truth_of_value_.push_back(
        class_index < 0 ? -1 : static_cast<int>(result.truths_.size()));
    if (class_index >= 0) {
      result.truths_.push_back({value, class_index, pixels});
    }
  }
  return result;
}

absl::Status InstanceOverlaps::Add(int label_id, double score,
                                   const cv::Mat& mask) {
  if (label_id < -1 || label_id >= kCityscapesLabelIds) {
    return absl::InvalidArgumentError(
        absl::StrCat("the label id ", label_id, " is none of 0..33"));
  }
  if (!std::isfinite(score)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the score ", score, " is not a finite number"));
  }
  if (mask.type() != CV_8UC1 || mask.size() != instances_.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the mask is ", mask.rows, " x ", mask.cols, " (height x width) of ",
        cv::typeToString(mask.type()), ", the ground truth ", instances_.rows,
        " x ", instances_.cols,
        "; write masks at the size of the ground truth"));
  }
  PredictedInstance prediction = {
      InstanceClassIndex(label_id), score, 0, 0, {}};
  if (prediction.class_index < 0) return absl::OkStatus();
  for (int y = 0; y < mask.rows; ++y) {
    CountInside(instances_.ptr<uint16_t>(y), mask.ptr<uint8_t>(y), mask.cols,
                counts_);
  }
  for (size_t i = 0; i < values_.size(); ++i) {
    const int64_t pixels = std::exchange(counts_[values_[i]], 0);
    if (pixels == 0) continue;
    prediction.pixels += pixels;
    if (IsVoid(values_[i])) prediction.void_pixels += pixels;
    const int truth = truth_of_value_[i];
    if (truth >= 0 && truths_[truth].class_index == prediction.class_index) {
      prediction.overlaps.push_back({truth, pixels});
    }
  }
  if (prediction.pixels > 0) predictions_.push_back(std::move(prediction));
  return absl::OkStatus();
}

}  // namespace mask2former
