#include "mask2former/eval/confusion_matrix.h"

#include <array>
#include <cstring>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/eval/pair_counts.h"

namespace mask2former {
namespace {

absl::Status CheckLabelImage(const cv::Mat& image, const char* name) {
  if (image.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(name, " is empty"));
  }
  if (image.dims != 2 || image.channels() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " has ", image.channels(),
        " channels; it must be a gray image of label ids, not a colour image"));
  }
  if (image.depth() != CV_8U) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " has ", 8 * image.elemSize(), " bits per pixel, want 8"));
  }
  return absl::OkStatus();
}

// "row R, column C" of the first pixel with `value`.
std::string FirstPixel(const cv::Mat& image, int value) {
  for (int y = 0; y < image.rows; ++y) {
    const uint8_t* const row = image.ptr<uint8_t>(y);
    const void* const found = std::memchr(row, value, image.cols);
    if (found != nullptr) {
      return absl::StrCat("row ", y, ", column ",
                          static_cast<const uint8_t*>(found) - row);
    }
  }
  return "nowhere";
}

absl::Status InvalidId(const cv::Mat& image, const char* name, int id,
                       int64_t pixels, const char* hint) {
  return absl::InvalidArgumentError(absl::StrCat(
      name, " has the value ", id, " at ", pixels, " pixels, first at ",
      FirstPixel(image, id), "; label ids are 0..33", hint));
}

}  // namespace

absl::Status ConfusionMatrix::Add(const cv::Mat& ground_truth,
                                  const cv::Mat& prediction) {
  M2F_RETURN_IF_ERROR(CheckLabelImage(ground_truth, "the ground truth"));
  M2F_RETURN_IF_ERROR(CheckLabelImage(prediction, "the prediction"));
  if (ground_truth.size() != prediction.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the prediction is ", prediction.rows, " x ", prediction.cols,
        " (height x width), the ground truth ", ground_truth.rows, " x ",
        ground_truth.cols, "; predict at the size of the ground truth"));
  }
  // The ids that should not be are found afterwards.
  const std::unique_ptr<PairCounts> pairs =
      CountPairs(ground_truth, prediction);
  std::array<int64_t, 256> actual_pixels{}, predicted_pixels{};
  for (int g = 0; g < 256; ++g) {
    const uint32_t* const row = pairs->data() + g * 256;
    for (int p = 0; p < 256; ++p) {
      actual_pixels[g] += row[p];
      predicted_pixels[p] += row[p];
    }
  }
  for (int id = kIds; id < 256; ++id) {
    const int64_t actual = actual_pixels[id];
    const int64_t predicted = predicted_pixels[id];
    if (actual > 0) {
      return InvalidId(ground_truth, "the ground truth", id, actual,
                       id == 255 ? " (is this a labelTrainIds image?)" : "");
    }
    if (predicted > 0) {
      return InvalidId(
          prediction, "the prediction", id, predicted,
          id == 255 ? " (255 is a train id: map train ids to label ids, 0 to "
                      "7, 1 to 8, 2 to 11, ...)"
                    : "");
    }
  }
  for (int g = 0; g < kIds; ++g) {
    for (int p = 0; p < kIds; ++p) {
      counts_[g * kIds + p] += (*pairs)[g * 256 + p];
    }
  }
  return absl::OkStatus();
}

void ConfusionMatrix::Merge(const ConfusionMatrix& other) {
  for (size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
}

int64_t ConfusionMatrix::GroundTruthCount(int ground_truth_id) const {
  int64_t sum = 0;
  for (int p = 0; p < kIds; ++p) sum += count(ground_truth_id, p);
  return sum;
}

int64_t ConfusionMatrix::PredictedCount(int predicted_id) const {
  int64_t sum = 0;
  for (int g = 0; g < kIds; ++g) sum += count(g, predicted_id);
  return sum;
}

int64_t ConfusionMatrix::Total() const {
  int64_t sum = 0;
  for (const int64_t count : counts_) sum += count;
  return sum;
}

}  // namespace mask2former
