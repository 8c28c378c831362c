#include "mask2former/data/label_values.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/data/cityscapes_labels.h"

namespace mask2former {
namespace {

absl::Status OutsideTable(const std::string& path, const cv::Mat& label,
                          const std::array<int, 256>& train_ids,
                          DataConfig::LabelSource source) {
  std::vector<std::string> values;
  std::array<bool, 256> seen{};
  std::string first;
  int64_t count = 0;
  for (int y = 0; y < label.rows; ++y) {
    const uint8_t* row = label.ptr<uint8_t>(y);
    for (int x = 0; x < label.cols; ++x) {
      if (train_ids[row[x]] != kOutsideCityscapes) continue;
      if (count++ == 0) first = absl::StrCat("(", x, ", ", y, ")");
      if (std::exchange(seen[row[x]], true)) continue;
      values.push_back(absl::StrCat(static_cast<int>(row[x])));
    }
  }
  const bool is_ids = source == DataConfig::LABEL_IDS;
  return absl::InvalidArgumentError(absl::StrCat(
      path, " has ", count, " pixels, the first at (x, y) = ", first,
      ", with values outside the table: ", absl::StrJoin(values, ", "),
      is_ids ? "; label ids are 0..33. Is it a *_gtFine_labelTrainIds.png? "
               "Then set data.label_source to LABEL_TRAIN_IDS"
             : "; train ids are 0..18, and 255 for ignored pixels. Is it a "
               "*_gtFine_labelIds.png? Then set data.label_source to "
               "LABEL_IDS"));
}

}  // namespace

std::array<int, 256> CityscapesTrainIds(DataConfig::LabelSource source) {
  std::array<int, 256> train_ids;
  for (int value = 0; value < 256; ++value) {
    if (source == DataConfig::LABEL_IDS) {
      train_ids[value] = value < kCityscapesLabelIds
                             ? CityscapesIdToTrainId()[value]
                             : kOutsideCityscapes;
    } else {
      train_ids[value] =
          value < kCityscapesClasses || value == kCityscapesIgnore
              ? value
              : kOutsideCityscapes;
    }
  }
  return train_ids;
}

absl::Status CheckCityscapesLabel(const cv::Mat& label, const std::string& path,
                                  DataConfig::LabelSource source) {
  const std::array<int, 256> train_ids = CityscapesTrainIds(source);
  std::array<bool, 256> is_outside;
  for (int value = 0; value < 256; ++value) {
    is_outside[value] = train_ids[value] == kOutsideCityscapes;
  }
  for (int y = 0; y < label.rows; ++y) {
    const uint8_t* row = label.ptr<uint8_t>(y);
    bool outside = false;
    for (int x = 0; x < label.cols; ++x) outside |= is_outside[row[x]];
    if (outside) return OutsideTable(path, label, train_ids, source);
  }
  return absl::OkStatus();
}

}  // namespace mask2former
