#include "mask2former/eval/train_ids.h"

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {

absl::StatusOr<cv::Mat> TrainIdsToLabelIds(const cv::Mat& train_ids) {
  if (train_ids.type() != CV_8UC1 || train_ids.empty()) {
    return absl::InvalidArgumentError(
        "the prediction must be an 8-bit map of train ids with one channel");
  }
  cv::Mat ids(train_ids.size(), CV_8UC1);
  for (int y = 0; y < train_ids.rows; ++y) {
    const uint8_t* const from = train_ids.ptr<uint8_t>(y);
    uint8_t* const to = ids.ptr<uint8_t>(y);
    for (int x = 0; x < train_ids.cols; ++x) {
      if (from[x] >= kCityscapesClasses && from[x] != kCityscapesIgnore) {
        return absl::InvalidArgumentError(
            absl::StrCat("the prediction has the value ", from[x], " at row ",
                         y, ", column ", x, "; train ids are 0..18 and 255"));
      }
      to[x] = CityscapesTrainIdToId()[from[x]];
    }
  }
  return ids;
}

}  // namespace mask2former
