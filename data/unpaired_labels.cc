#include "mask2former/data/unpaired_labels.h"

#include <unordered_set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/data_files.h"

namespace mask2former {
namespace {

std::string LabelSuffix(DataConfig::LabelSource source) {
  return source == DataConfig::LABEL_IDS ? "_gtFine_labelIds.png"
                                         : "_gtFine_labelTrainIds.png";
}

}  // namespace

absl::StatusOr<std::vector<std::string>> FindLabelsWithoutPicture(
    absl::string_view root, absl::string_view split,
    const std::vector<CityscapesFrame>& frames,
    DataConfig::LabelSource source) {
  root = absl::StripSuffix(root, "/");
  M2F_ASSIGN_OR_RETURN(const std::string labels,
                       CityscapesFolder(root, "gtFine", split));
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> cities,
                       ListDataFolder(labels));
  std::unordered_set<std::string> with_picture;
  for (const CityscapesFrame& frame : frames) {
    with_picture.insert(frame.label_path(source));
  }
  const std::string suffix = LabelSuffix(source);
  std::vector<std::string> problems;
  for (const std::string& city : cities) {
    const std::string folder = absl::StrCat(labels, "/", city);
    if (!DataFolderExists(folder)) continue;
    M2F_ASSIGN_OR_RETURN(const std::vector<std::string> files,
                         ListDataFolder(folder));
    for (const std::string& file : files) {
      const std::string path = absl::StrCat(folder, "/", file);
      if (!absl::EndsWith(file, suffix) || with_picture.count(path) > 0) {
        continue;
      }
      problems.push_back(absl::StrCat(
          path, " has no picture, ", city, "/", absl::StripSuffix(file, suffix),
          "_leftImg8bit.png",
          " is missing: unpack leftImg8bit_trainvaltest.zip again"));
    }
  }
  return problems;
}

}  // namespace mask2former
