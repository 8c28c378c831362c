#include "mask2former/eval/panoptic_files.h"

#include <cstdint>
#include <opencv2/core.hpp>
#include <set>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/python_json.h"

namespace mask2former {
namespace {

constexpr int64_t kIds = 1 << 24;

// The map as R, G, B.
absl::StatusOr<cv::Mat> ToRgb(const PanopticImage& image) {
  if (image.ids.empty() || image.ids.type() != CV_32SC1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the map is ", image.ids.rows, " x ", image.ids.cols, " of ",
        cv::typeToString(image.ids.type()), "; want CV_32SC1, not empty"));
  }
  std::set<int64_t> listed, unseen;
  for (const PanopticSegment& segment : image.segments) {
    if (segment.id <= 0 || segment.id >= kIds) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the segment id ", segment.id, " is none of 1..", kIds - 1));
    }
    if (!listed.insert(segment.id).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("the segment id ", segment.id, " is twice in the list"));
    }
  }
  unseen = listed;
  cv::Mat rgb(image.ids.size(), CV_8UC3);
  int32_t last = 0;  // Known to be listed, or 0.
  for (int y = 0; y < image.ids.rows; ++y) {
    const int32_t* const ids = image.ids.ptr<int32_t>(y);
    uint8_t* pixel = rgb.ptr<uint8_t>(y);
    for (int x = 0; x < image.ids.cols; ++x, pixel += 3) {
      if (ids[x] != last && ids[x] != 0) {
        if (listed.count(ids[x]) == 0) {
          return absl::InvalidArgumentError(
              absl::StrCat("the map has the segment id ", ids[x],
                           ", which is not in the list"));
        }
        unseen.erase(ids[x]);
      }
      last = ids[x];
      pixel[0] = static_cast<uint8_t>(last);
      pixel[1] = static_cast<uint8_t>(last >> 8);
      pixel[2] = static_cast<uint8_t>(last >> 16);
    }
  }
  if (!unseen.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the segment id ", *unseen.begin(),
                     " is in the list and has no pixel in the map"));
  }
  return rgb;
}

std::string Annotation(absl::string_view image_id, absl::string_view file_name,
                       const PanopticImage& image) {
  constexpr char kIndent[] = "                ";
  std::vector<std::string> segments;
  for (const PanopticSegment& segment : image.segments) {
    segments.push_back(JsonDictionary(
        std::map<std::string, std::string>{
            {"category_id", absl::StrCat(segment.category_id)},
            {"id", absl::StrCat(segment.id)}},
        kIndent));
  }
  return JsonDictionary(
      std::map<std::string, std::string>{
          {"file_name", JsonString(file_name)},
          {"image_id", JsonString(image_id)},
          {"segments_info", JsonList(segments, "            ")}},
      "        ");
}

}  // namespace

PanopticFileWriter::PanopticFileWriter(absl::string_view json)
    : json_(json), folder_(absl::StripSuffix(json, ".json")) {}

absl::Status PanopticFileWriter::Add(absl::string_view image_id,
                                     absl::string_view file_name,
                                     const PanopticImage& image) {
  if (folder_ == json_) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", json_, "\" must end in \".json\""));
  }
  absl::StatusOr<cv::Mat> rgb = ToRgb(image);
  if (!rgb.ok()) return WithPrefix(absl::StrCat(image_id, ": "), rgb.status());
  {
    const absl::MutexLock lock(&mutex_);
    if (!annotations_.emplace(image_id, Annotation(image_id, file_name, image))
             .second) {
      return absl::InvalidArgumentError(
          absl::StrCat(image_id, " is predicted for the second time"));
    }
  }
  M2F_RETURN_IF_ERROR(CreateDirectories(folder_));
  return WritePngAtomically(absl::StrCat(folder_, "/", file_name), *rgb);
}

absl::Status PanopticFileWriter::Finish() const {
  std::vector<std::string> annotations;
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [image_id, annotation] : annotations_) {
      annotations.push_back(annotation);
    }
  }
  return WriteFileAtomically(
      json_, JsonDictionary(
                 std::map<std::string, std::string>{
                     {"annotations", JsonList(annotations, "    ")}},
                 ""));
}

}  // namespace mask2former
