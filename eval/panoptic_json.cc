#include "mask2former/eval/panoptic_json.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"

namespace mask2former {
namespace {

using Json = nlohmann::json;

// Why a parse failed. The library's sole way to tell is an exception or this.
class ErrorFinder : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(Json::number_integer_t) override { return true; }
  bool number_unsigned(Json::number_unsigned_t) override { return true; }
  bool number_float(Json::number_float_t, const std::string&) override {
    return true;
  }
  bool string(std::string&) override { return true; }
  bool binary(Json::binary_t&) override { return true; }
  bool start_object(size_t) override { return true; }
  bool key(std::string&) override { return true; }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    position_ = position;
    return false;
  }
  size_t position() const { return position_; }

 private:
  size_t position_ = 0;
};

absl::Status Missing(absl::string_view where, absl::string_view key,
                     absl::string_view type) {
  return absl::InvalidArgumentError(
      absl::StrCat(where, " needs \"", key, "\", ", type));
}

absl::StatusOr<const Json*> List(const Json& object, absl::string_view key,
                                 absl::string_view where) {
  const auto found = object.find(std::string(key));
  if (found == object.end() || !found->is_array()) {
    return Missing(where, key, "a list");
  }
  return &*found;
}

absl::StatusOr<int64_t> Integer(const Json& object, absl::string_view key,
                                absl::string_view where) {
  const auto found = object.find(std::string(key));
  if (found == object.end() || !found->is_number_integer()) {
    return Missing(where, key, "an integer");
  }
  constexpr uint64_t kLargest = std::numeric_limits<int64_t>::max();
  if (found->is_number_unsigned() && found->get<uint64_t>() > kLargest) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, " has the \"", key, "\" ", found->get<uint64_t>(),
                     "; want an integer up to ", kLargest));
  }
  return found->get<int64_t>();
}

absl::StatusOr<std::string> Text(const Json& object, absl::string_view key,
                                 absl::string_view where) {
  const auto found = object.find(std::string(key));
  if (found == object.end() || !found->is_string()) {
    return Missing(where, key, "a string");
  }
  return found->get<std::string>();
}

absl::StatusOr<int> CategoryId(const Json& object, absl::string_view key,
                               absl::string_view where) {
  M2F_ASSIGN_OR_RETURN(const int64_t id, Integer(object, key, where));
  if (id < std::numeric_limits<int>::min() ||
      id > std::numeric_limits<int>::max()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, " has the \"", key, "\" ", id));
  }
  return static_cast<int>(id);
}

absl::StatusOr<std::vector<PanopticCategory>> Categories(const Json& json) {
  M2F_ASSIGN_OR_RETURN(const Json* const list,
                       List(json, "categories", "the file"));
  std::vector<PanopticCategory> categories;
  for (size_t i = 0; i < list->size(); ++i) {
    const Json& entry = (*list)[i];
    const std::string where = absl::StrCat("categories[", i, "]");
    PanopticCategory category;
    M2F_ASSIGN_OR_RETURN(category.id, CategoryId(entry, "id", where));
    M2F_ASSIGN_OR_RETURN(category.name, Text(entry, "name", where));
    M2F_ASSIGN_OR_RETURN(const int64_t thing, Integer(entry, "isthing", where));
    category.is_thing = thing == 1;
    categories.push_back(std::move(category));
  }
  return categories;
}

absl::StatusOr<PanopticAnnotation> Annotation(const Json& json,
                                              const std::string& place,
                                              PanopticFileKind kind) {
  if (!json.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(place, " is no object"));
  }
  PanopticAnnotation annotation;
  const auto id = json.find("image_id");
  if (id != json.end() && id->is_number_integer()) {
    M2F_ASSIGN_OR_RETURN(const int64_t number,
                         Integer(json, "image_id", place));
    annotation.image_id = absl::StrCat(number);
  } else {
    M2F_ASSIGN_OR_RETURN(annotation.image_id, Text(json, "image_id", place));
  }
  const std::string where =
      absl::StrCat(place, " (image_id ", annotation.image_id, ")");
  M2F_ASSIGN_OR_RETURN(annotation.file_name, Text(json, "file_name", where));
  M2F_ASSIGN_OR_RETURN(const Json* const segments,
                       List(json, "segments_info", where));
  for (size_t i = 0; i < segments->size(); ++i) {
    const Json& entry = (*segments)[i];
    const std::string at = absl::StrCat(where, ".segments_info[", i, "]");
    PanopticSegment segment;
    M2F_ASSIGN_OR_RETURN(segment.id, Integer(entry, "id", at));
    M2F_ASSIGN_OR_RETURN(segment.category_id,
                         CategoryId(entry, "category_id", at));
    if (kind == PanopticFileKind::kGroundTruth) {
      M2F_ASSIGN_OR_RETURN(segment.area, Integer(entry, "area", at));
      M2F_ASSIGN_OR_RETURN(const int64_t crowd, Integer(entry, "iscrowd", at));
      segment.is_crowd = crowd == 1;
    }
    annotation.segments.push_back(segment);
  }
  return annotation;
}

absl::StatusOr<PanopticFile> Parse(const std::string& text,
                                   PanopticFileKind kind) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) {
    ErrorFinder finder;
    Json::sax_parse(text, &finder);
    return absl::InvalidArgumentError(absl::StrCat(
        "is no JSON: there is a mistake at byte ",
        std::min(finder.position(), text.size()), " of ", text.size(),
        "; want COCO's panoptic format, {\"annotations\": [...]}"));
  }
  PanopticFile file;
  if (kind == PanopticFileKind::kGroundTruth) {
    M2F_ASSIGN_OR_RETURN(file.categories, Categories(json));
  }
  M2F_ASSIGN_OR_RETURN(const Json* const list,
                       List(json, "annotations", "the file"));
  std::set<std::string> seen;
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string place = absl::StrCat("annotations[", i, "]");
    M2F_ASSIGN_OR_RETURN(PanopticAnnotation annotation,
                         Annotation((*list)[i], place, kind));
    if (!seen.insert(annotation.image_id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(place, " has the image_id \"", annotation.image_id,
                       "\" for the second time; leave one of the two"));
    }
    file.annotations.push_back(std::move(annotation));
  }
  return file;
}

}  // namespace

absl::StatusOr<PanopticFile> ReadPanopticJson(const std::string& path,
                                              PanopticFileKind kind) {
  M2F_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  absl::StatusOr<PanopticFile> file = Parse(text, kind);
  if (!file.ok()) return WithPrefix(absl::StrCat(path, ": "), file.status());
  return file;
}

}  // namespace mask2former
