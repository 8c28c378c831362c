#include "mask2former/data/instance_ids.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

constexpr int kValues = 1 << 16;
constexpr int kFirstInstance = 1000;  // Also what a label id is multiplied by.
constexpr size_t kShownIds = 8;

int LabelOf(int id) { return id < kFirstInstance ? id : id / kFirstInstance; }

bool IsCrowd(int id, const CityscapesLabel& label) {
  return id < kFirstInstance && label.has_instances;
}

bool IsScoredThing(const CityscapesLabel& label) {
  return label.has_instances && !label.ignore_in_eval;
}

// The ids that occur, ascending.
absl::StatusOr<std::vector<int>> FindIds(const cv::Mat& ids,
                                         absl::string_view name) {
  TORCH_CHECK(ids.type() == CV_16UC1, "instance ids must be CV_16UC1");
  std::vector<uint8_t> seen(kValues, 0);
  for (int y = 0; y < ids.rows; ++y) {
    const uint16_t* row = ids.ptr<uint16_t>(y);
    for (int x = 0; x < ids.cols; ++x) seen[row[x]] = 1;
  }
  std::vector<int> found;
  std::vector<std::string> unknown;
  for (int id = 0; id < kValues; ++id) {
    if (seen[id] == 0) continue;
    found.push_back(id);
    if (LabelOf(id) >= kCityscapesLabelIds) unknown.push_back(absl::StrCat(id));
  }
  if (unknown.empty()) return found;
  const size_t count = unknown.size();
  unknown.resize(std::min(count, kShownIds));
  return absl::InvalidArgumentError(absl::StrCat(
      name, " holds instance ids of no label: ", absl::StrJoin(unknown, ", "),
      count > kShownIds ? ", ..." : "",
      "; an id is a label id 0..33, or label id * 1000 + a number"));
}

// `rows` whose pixels n are replaced by table[n].
cv::Mat LookUp(const cv::Mat& ids, const std::vector<uint16_t>& table) {
  cv::Mat map(ids.rows, ids.cols, CV_16UC1);
  for (int y = 0; y < ids.rows; ++y) {
    const uint16_t* in = ids.ptr<uint16_t>(y);
    uint16_t* out = map.ptr<uint16_t>(y);
    for (int x = 0; x < ids.cols; ++x) out[x] = table[in[x]];
  }
  return map;
}

// Which segments are a single pixel wide or high.
std::vector<bool> FindThin(const SegmentedPicture& picture) {
  struct Box {
    int left = kValues, right = -1, top = kValues, bottom = -1;
  };
  std::vector<Box> boxes(picture.segments.size() + 1);
  for (int y = 0; y < picture.map.rows; ++y) {
    const uint16_t* row = picture.map.ptr<uint16_t>(y);
    for (int x = 0; x < picture.map.cols; ++x) {
      if (row[x] == 0) continue;
      Box& box = boxes[row[x]];
      box.left = std::min(box.left, x);
      box.right = std::max(box.right, x);
      box.top = std::min(box.top, y);
      box.bottom = y;
    }
  }
  std::vector<bool> thin;
  for (size_t n = 1; n < boxes.size(); ++n) {
    thin.push_back(boxes[n].right <= boxes[n].left ||
                   boxes[n].bottom <= boxes[n].top);
  }
  return thin;
}

// Takes segments out of a picture.
SegmentedPicture Without(const SegmentedPicture& picture,
                         const std::vector<bool>& dropped) {
  SegmentedPicture kept;
  std::vector<uint16_t> table(kValues, 0);
  for (size_t n = 0; n < picture.segments.size(); ++n) {
    if (dropped[n]) continue;
    kept.segments.push_back(picture.segments[n]);
    table[n + 1] = static_cast<uint16_t>(kept.segments.size());
  }
  kept.map = LookUp(picture.map, table);
  return kept;
}

}  // namespace

absl::StatusOr<SegmentedPicture> PanopticSegments(const cv::Mat& ids,
                                                  absl::string_view name) {
  M2F_ASSIGN_OR_RETURN(const std::vector<int> found, FindIds(ids, name));
  SegmentedPicture picture;
  std::vector<uint16_t> table(kValues, 0);
  for (const int id : found) {
    const CityscapesLabel& label = CityscapesLabels()[LabelOf(id)];
    if (label.ignore_in_eval) continue;
    Segment segment;
    segment.id = id;
    segment.class_id = label.train_id;
    segment.is_crowd = IsCrowd(id, label);
    picture.segments.push_back(segment);
    table[id] = static_cast<uint16_t>(picture.segments.size());
  }
  picture.map = LookUp(ids, table);
  return picture;
}

absl::StatusOr<SegmentedPicture> ThingSegments(const cv::Mat& ids,
                                               absl::string_view name) {
  M2F_ASSIGN_OR_RETURN(const std::vector<int> found, FindIds(ids, name));
  SegmentedPicture picture;
  std::vector<uint16_t> table(kValues, 0);
  for (const int id : found) {
    const CityscapesLabel& label = CityscapesLabels()[LabelOf(id)];
    if (!IsScoredThing(label)) continue;
    Segment segment;
    segment.id = id;
    segment.class_id = label.train_id - kCityscapesFirstThing;
    segment.is_crowd = IsCrowd(id, label);
    picture.segments.push_back(segment);
    table[id] = static_cast<uint16_t>(picture.segments.size());
  }
  picture.map = LookUp(ids, table);
  const std::vector<bool> thin = FindThin(picture);
  if (std::find(thin.begin(), thin.end(), true) == thin.end()) return picture;
  return Without(picture, thin);
}

}  // namespace mask2former
