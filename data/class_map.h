#ifndef MASK2FORMER_DATA_CLASS_MAP_H_
#define MASK2FORMER_DATA_CLASS_MAP_H_

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/data_config.pb.h"

namespace mask2former {

// Reads label images of a user's own classes as train ids, as FolderData says.
class ClassMap {
 public:
  // Returns InvalidArgument, naming the field, for settings that contradict
  // each other.
  static absl::StatusOr<ClassMap> Create(const FolderData& config);

  // Decodes a label image.
  //
  //   bytes    of a PNG
  //   name     for messages; a path
  //   returns  [H, W] CV_8UC1 train ids 0 .. K - 1, 255 ignored
  //
  // Returns InvalidArgument if the PNG is not of the encoding, or holds values
  // of no class: the message says what was found and what to write into the
  // config. DataLoss if it is damaged.
  absl::StatusOr<cv::Mat> Decode(absl::string_view bytes,
                                 absl::string_view name) const;

  // Whether labels are, to all appearances, masks of 0 and 255 while 255 is
  // ignored only because nothing else was said; then the advice what to write.
  //
  //   labels  the bytes of some label images
  absl::Status CheckForMasks(const std::vector<std::string>& labels,
                             absl::string_view where) const;

  int64_t num_classes() const { return static_cast<int64_t>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }
  // Red, green, blue of each class, for pictures: its color, or one that is far
  // from those of the classes around it.
  const std::vector<std::array<uint8_t, 3>>& colors() const { return colors_; }
  const std::vector<bool>& is_thing() const { return is_thing_; }

 private:
  ClassMap() = default;

  absl::Status AddClasses(const FolderData& config);
  absl::Status AddValues(const FolderData& config);
  absl::Status AddColors(const FolderData& config);

  FolderData::LabelEncoding encoding_ = FolderData::VALUES;
  std::vector<std::string> names_;
  std::vector<std::array<uint8_t, 3>> colors_;
  std::vector<bool> is_thing_;
  std::vector<int16_t> by_value_;  // Train id of each 16-bit value, or -1.
  std::unordered_map<uint32_t, uint8_t> by_color_;  // 0xRRGGBB to train id.
  bool ignores_255_by_default_ = false;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_CLASS_MAP_H_
