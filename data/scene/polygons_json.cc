#include "mask2former/data/scene/polygons_json.h"

#include <opencv2/core/types.hpp>

#include "absl/strings/str_cat.h"

namespace mask2former {

std::string PolygonsJson(absl::Span<const SceneObject> objects, int height,
                         int width) {
  std::string json =
      absl::StrCat("{\n  \"imgHeight\": ", height, ",\n  \"imgWidth\": ", width,
                   ",\n  \"objects\": [");
  const char* comma = "";
  for (const SceneObject& object : objects) {
    absl::StrAppend(&json, comma, "\n    {\"label\": \"", object.label,
                    "\", \"polygon\": [");
    const char* vertex_comma = "";
    for (const cv::Point& p : object.polygon) {
      absl::StrAppend(&json, vertex_comma, "[", p.x, ", ", p.y, "]");
      vertex_comma = ", ";
    }
    json += "]}";
    comma = ",";
  }
  json += "\n  ]\n}\n";
  return json;
}

}  // namespace mask2former
