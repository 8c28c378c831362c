#include "mask2former/data/mask_targets.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/util/Exception.h>

#include <array>
#include <vector>

#include "mask2former/data/dataset.h"

namespace mask2former {

MaskTarget MakeMaskTarget(const cv::Mat& label, int64_t num_classes) {
  TORCH_CHECK(label.type() == CV_8UC1, "label image must be CV_8UC1");
  TORCH_CHECK(num_classes >= 1 && num_classes <= kIgnoreLabel,
              "num_classes must be 1 .. 255, got ", num_classes);
  std::array<bool, 256> present{};
  for (int y = 0; y < label.rows; ++y) {
    const uint8_t* row = label.ptr<uint8_t>(y);
    for (int x = 0; x < label.cols; ++x) present[row[x]] = true;
  }
  std::vector<int64_t> classes;
  for (int value = 0; value < kIgnoreLabel; ++value) {
    if (!present[value]) continue;
    TORCH_CHECK(value < num_classes, "label image holds train id ", value,
                ", but there are ", num_classes, " classes");
    classes.push_back(value);
  }
  const auto count = static_cast<int64_t>(classes.size());
  MaskTarget target;
  target.labels = at::empty({count}, at::kLong);
  target.masks = at::empty({count, label.rows, label.cols}, at::kBool);
  auto* labels = target.labels.mutable_data_ptr<int64_t>();
  bool* mask = target.masks.mutable_data_ptr<bool>();
  for (int64_t n = 0; n < count; ++n) {
    labels[n] = classes[n];
    const auto value = static_cast<uint8_t>(classes[n]);
    for (int y = 0; y < label.rows; ++y, mask += label.cols) {
      const uint8_t* row = label.ptr<uint8_t>(y);
      for (int x = 0; x < label.cols; ++x) mask[x] = row[x] == value;
    }
  }
  return target;
}

}  // namespace mask2former
