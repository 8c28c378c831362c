#include "mask2former/data/cityscapes_polygons.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/polygons/clip.h"

namespace mask2former {
namespace {

using nlohmann::json;

constexpr double kHalfPixel = 0.5;

// Sets the label of `object`, or says what is wrong with the name.
absl::Status ResolveLabel(const std::string& name, CityscapesObject& object) {
  object.is_group = absl::EndsWith(name, "group");
  object.label = FindCityscapesLabel(name);
  if (object.label == nullptr && object.is_group) {
    object.label = FindCityscapesLabel(absl::StripSuffix(name, "group"));
  }
  if (object.label != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("label \"", name,
                   "\" is none of Cityscapes (\"car\", \"cargroup\", ...): "
                   "correct it, or remove the object"));
}

absl::StatusOr<Polygon> ParsePolygon(const json& value) {
  if (!value.is_array()) {
    return absl::InvalidArgumentError(
        "\"polygon\" must be a list of [x, y] pairs");
  }
  Polygon polygon;
  polygon.reserve(value.size());
  for (const json& vertex : value) {
    if (!vertex.is_array() || vertex.size() != 2 || !vertex[0].is_number() ||
        !vertex[1].is_number()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "vertex ", polygon.size(), " of its polygon is no [x, y] pair"));
    }
    polygon.emplace_back(vertex[0].get<double>(), vertex[1].get<double>());
  }
  return polygon;
}

absl::StatusOr<CityscapesObject> ParseObject(const json& value) {
  if (!value.is_object()) {
    return absl::InvalidArgumentError("it must be {\"label\", \"polygon\"}");
  }
  const auto label = value.find("label");
  if (label == value.end() || !label->is_string()) {
    return absl::InvalidArgumentError("its \"label\" is missing or no text");
  }
  CityscapesObject object;
  M2F_RETURN_IF_ERROR(ResolveLabel(label->get<std::string>(), object));
  const auto polygon = value.find("polygon");
  if (polygon == value.end()) {
    return absl::InvalidArgumentError("its \"polygon\" is missing");
  }
  M2F_ASSIGN_OR_RETURN(object.polygon, ParsePolygon(*polygon));
  object.has_deleted_key = value.contains("deleted");
  return object;
}

absl::Status Locate(const absl::Status& status, absl::string_view name,
                    size_t index) {
  return WithPrefix(absl::StrCat(name, ", objects[", index, "]: "), status);
}

absl::StatusOr<int64_t> Extent(const json& root, const char* key) {
  const auto value = root.find(key);
  if (value == root.end() || !value->is_number_integer() ||
      value->get<int64_t>() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", key, "\" is missing or no positive number of pixels"));
  }
  return value->get<int64_t>();
}

// The outline that the reference starts from.
Polygon Shifted(const Polygon& polygon) {
  Polygon shifted;
  shifted.reserve(polygon.size());
  for (const cv::Point2d& p : polygon) {
    shifted.emplace_back(static_cast<float>(p.x) + kHalfPixel,
                         static_cast<float>(p.y) + kHalfPixel);
  }
  return shifted;
}

bool IsScoredThing(const CityscapesLabel& label) {
  return label.has_instances && !label.ignore_in_eval;
}

// Things front to back; all of them, or only until the first that is no crowd.
absl::StatusOr<std::vector<Segment>> Things(const CityscapesPolygons& polygons,
                                            absl::string_view name,
                                            bool first_only) {
  std::vector<Segment> things;
  OcclusionOrder order;
  for (size_t i = polygons.objects.size(); i-- > 0;) {
    const CityscapesObject& object = polygons.objects[i];
    if (object.has_deleted_key || object.label->id < 0) continue;
    const Polygon outline = Shifted(object.polygon);
    if (!IsScoredThing(*object.label)) {
      const absl::Status added = order.Add(outline);
      if (!added.ok()) return Locate(added, name, i);
      continue;
    }
    absl::StatusOr<std::vector<Polygon>> seen = order.AddAndSee(outline);
    if (!seen.ok()) return Locate(seen.status(), name, i);
    if (seen->empty()) continue;
    Segment thing;
    thing.id = static_cast<int64_t>(things.size()) + 1;
    thing.class_id = object.label->train_id - kCityscapesFirstThing;
    thing.is_crowd = object.is_group;
    thing.polygons = *std::move(seen);
    things.push_back(std::move(thing));
    if (first_only && !object.is_group) break;
  }
  return things;
}

}  // namespace

absl::StatusOr<CityscapesPolygons> ParseCityscapesPolygons(
    absl::string_view text, absl::string_view name) {
  const json root = json::parse(text.begin(), text.end(), nullptr, false);
  if (root.is_discarded()) {
    return absl::DataLossError(absl::StrCat(
        name, " (", text.size(),
        " bytes) is no JSON, or cut short: unpack gtFine_trainvaltest.zip "
        "again"));
  }
  const auto objects = root.find("objects");
  if (!root.is_object() || objects == root.end() || !objects->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, " has no list \"objects\": is it a *_gtFine_polygons.json?"));
  }
  CityscapesPolygons polygons;
  for (const auto& [key, extent] :
       {std::pair<const char*, int64_t*>{"imgHeight", &polygons.height},
        std::pair<const char*, int64_t*>{"imgWidth", &polygons.width}}) {
    const absl::StatusOr<int64_t> value = Extent(root, key);
    if (!value.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": ", value.status().message()));
    }
    *extent = *value;
  }
  polygons.objects.reserve(objects->size());
  for (const json& value : *objects) {
    absl::StatusOr<CityscapesObject> object = ParseObject(value);
    if (!object.ok()) {
      return Locate(object.status(), name, polygons.objects.size());
    }
    polygons.objects.push_back(*std::move(object));
  }
  return polygons;
}

absl::StatusOr<std::vector<Segment>> ThingsFromPolygons(
    const CityscapesPolygons& polygons, absl::string_view name) {
  return Things(polygons, name, /*first_only=*/false);
}

absl::StatusOr<bool> HasThing(const CityscapesPolygons& polygons,
                              absl::string_view name) {
  M2F_ASSIGN_OR_RETURN(const std::vector<Segment> things,
                       Things(polygons, name, /*first_only=*/true));
  return !things.empty() && !things.back().is_crowd;
}

}  // namespace mask2former
