#include "mask2former/data/scene/rasterize.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "absl/strings/strip.h"
#include "mask2former/common/logging.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/scene/polygon.h"

namespace mask2former {

LabelImages RasterizeObjects(const std::vector<SceneObject>& objects,
                             int height, int width) {
  LabelImages images;
  images.label_ids = cv::Mat::zeros(height, width, CV_8UC1);
  images.instance_ids = cv::Mat::zeros(height, width, CV_16UC1);
  std::array<int, kCityscapesLabelIds> counters{};
  for (const SceneObject& object : objects) {
    absl::string_view name = object.label;
    const CityscapesLabel* label = FindCityscapesLabel(name);
    bool group = false;
    if (label == nullptr && absl::ConsumeSuffix(&name, "group")) {
      label = FindCityscapesLabel(name);
      group = true;
    }
    CHECK(label != nullptr) << "no such label: " << object.label;
    if (label->id < 0) continue;
    const auto label_id = static_cast<uint8_t>(label->id);
    auto instance_id = static_cast<uint16_t>(label->id);
    if (label->has_instances && !group) {
      instance_id =
          static_cast<uint16_t>(label->id * 1000 + counters[label->id]++);
    }
    FillPolygon(object.polygon, height, width, [&](int y, int first, int last) {
      uint8_t* labels = images.label_ids.ptr<uint8_t>(y);
      std::fill(labels + first, labels + last + 1, label_id);
      uint16_t* ids = images.instance_ids.ptr<uint16_t>(y);
      std::fill(ids + first, ids + last + 1, instance_id);
    });
  }
  return images;
}

}  // namespace mask2former
