#include "mask2former/eval/panoptic_files.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/cityscapes_panoptic.h"
#include "mask2former/data/image_io.h"

namespace mask2former {
namespace {

using nlohmann::json;

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

json SegmentsInfo(const std::vector<PanopticSegment>& segments) {
  json list = json::array();
  for (const PanopticSegment& segment : segments) {
    list.push_back({{"category_id", segment.category_id}, {"id", segment.id}});
  }
  return list;
}

}  // namespace

PanopticFileWriter::PanopticFileWriter(absl::string_view json)
    : path_(json), folder_(absl::StripSuffix(json, ".json")) {}

absl::Status PanopticFileWriter::Add(absl::string_view image_id,
                                     absl::string_view file_name,
                                     const PanopticImage& image,
                                     absl::string_view picture) {
  if (folder_ == path_) {
    return absl::InvalidArgumentError(
        absl::StrCat("\"", path_, "\" must end in \".json\""));
  }
  absl::StatusOr<cv::Mat> rgb = ToRgb(image);
  if (!rgb.ok()) return WithPrefix(absl::StrCat(image_id, ": "), rgb.status());
  Picture entry = {std::string(picture.empty() ? file_name : picture),
                   std::string(file_name), image.ids.size(), image.segments};
  {
    const absl::MutexLock lock(&mutex_);
    if (!pictures_.emplace(image_id, std::move(entry)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(image_id, " is predicted for the second time"));
    }
  }
  M2F_RETURN_IF_ERROR(CreateDirectories(folder_));
  return WritePngAtomically(absl::StrCat(folder_, "/", file_name), *rgb);
}

absl::Status PanopticFileWriter::Finish() const {
  json images = json::array();
  json annotations = json::array();
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [id, picture] : pictures_) {
      images.push_back(PanopticJsonImage(id, picture.size, picture.name));
      annotations.push_back(
          {{"file_name", picture.file_name},
           {"image_id", id},
           {"segments_info", SegmentsInfo(picture.segments)}});
    }
  }
  const json root = {{"annotations", std::move(annotations)},
                     {"categories", CityscapesPanopticJsonCategories()},
                     {"images", std::move(images)}};
  return WriteFileAtomically(path_,
                             root.dump(/*indent=*/4, ' ', /*ensure_ascii=*/true,
                                       json::error_handler_t::replace));
}

}  // namespace mask2former
