#include "mask2former/data/cityscapes_panoptic.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {

using nlohmann::json;

json CityscapesPanopticJsonCategories() {
  json categories = json::array();
  for (const CityscapesLabel& label : CityscapesLabels()) {
    if (label.ignore_in_eval) continue;
    categories.push_back(
        {{"id", label.id},
         {"name", std::string(label.name)},
         {"color", {label.color[0], label.color[1], label.color[2]}},
         {"supercategory", std::string(label.category)},
         {"isthing", label.has_instances ? 1 : 0}});
  }
  return categories;
}

json PanopticJsonImage(absl::string_view id, const cv::Size& size,
                       absl::string_view file_name) {
  return {{"id", std::string(id)},
          {"width", size.width},
          {"height", size.height},
          {"file_name", std::string(file_name)}};
}

std::string CityscapesPanopticPictureName(absl::string_view id) {
  return absl::StrCat(id, "_gtFine_leftImg8bit.png");
}

}  // namespace mask2former
