#include "mask2former/eval/panoptic_truth.h"

#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {

absl::StatusOr<PanopticImage> PanopticTruth(const cv::Mat& instances) {
  constexpr int kValues = 1 << 16;
  if (instances.empty() || instances.type() != CV_16UC1) {
    return absl::InvalidArgumentError(
        "the instance image must be gray with 16 bits per pixel, and not "
        "empty");
  }
  std::vector<int64_t> areas(kValues);
  for (int y = 0; y < instances.rows; ++y) {
    const uint16_t* const row = instances.ptr<uint16_t>(y);
    for (int x = 0; x < instances.cols;) {
      const int start = x;
      while (x < instances.cols && row[x] == row[start]) ++x;
      areas[row[start]] += x - start;
    }
  }
  PanopticImage truth;
  std::vector<int32_t> id_of_value(kValues);
  for (int value = 0; value < kValues; ++value) {
    if (areas[value] == 0) continue;
    const int label_id = value < 1000 ? value : value / 1000;
    if (label_id >= kCityscapesLabelIds) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the instance image has the value ", value, " at ", areas[value],
          " pixels, which has no class: values are label ids 0..33, or a label "
          "id times 1000 plus a number, up to 33999"));
    }
    const CityscapesLabel& label = CityscapesLabels()[label_id];
    if (label.ignore_in_eval) continue;
    id_of_value[value] = value;
    truth.segments.push_back(
        {value, label_id, areas[value], label.has_instances && value < 1000});
  }
  truth.ids.create(instances.size(), CV_32SC1);
  for (int y = 0; y < instances.rows; ++y) {
    const uint16_t* const row = instances.ptr<uint16_t>(y);
    int32_t* const ids = truth.ids.ptr<int32_t>(y);
    for (int x = 0; x < instances.cols; ++x) ids[x] = id_of_value[row[x]];
  }
  return truth;
}

}  // namespace mask2former
