#ifndef MASK2FORMER_DATA_CITYSCAPES_H_
#define MASK2FORMER_DATA_CITYSCAPES_H_

// Cityscapes in the folders that its archives unpack to, or in the archives
// leftImg8bit_trainvaltest.zip and gtFine_trainvaltest.zip themselves:
//
//   leftImg8bit/{split}/{city}/{city}_{seq}_{frame}_leftImg8bit.png
//   gtFine/{split}/{city}/{city}_{seq}_{frame}_gtFine_labelIds.png,
//                                          ..._instanceIds.png,
//                                          ..._polygons.json

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/data_config.pb.h"

namespace mask2former {

// The files of one picture. Only image_path is known to exist.
struct CityscapesFrame {
  std::string name;  // {city}_{seq}_{frame}
  std::string city;
  std::string image_path;
  std::string label_ids_path;        // 8-bit gray, label ids 0..33.
  std::string label_train_ids_path;  // 8-bit gray, train ids; often not there.
  std::string instance_ids_path;     // 16-bit gray.
  std::string polygons_path;         // JSON.

  const std::string& label_path(DataConfig::LabelSource source) const {
    return source == DataConfig::LABEL_IDS ? label_ids_path
                                           : label_train_ids_path;
  }
};

// {root}/{kind}/{split}, where `kind` is "leftImg8bit" or "gtFine"; or that
// folder in {root}/{kind}_trainvaltest.zip, a path for data_files.h, if only
// the archive is there.
//
// Returns NotFound if neither is, DataLoss if the archive cannot be opened; the
// message names the archive and where to put it.
absl::StatusOr<std::string> CityscapesFolder(absl::string_view root,
                                             absl::string_view kind,
                                             absl::string_view split);

// Whether a split needs a folder in gtFine/. Without one, the paths of labels
// are where they would be.
enum class CityscapesLabelFolder { kNeeded, kIfThere };

// The pictures of a split ("train", "val", "test"), by city and name, in byte
// order: the same on every machine.
//
// Returns as CityscapesFolder().
absl::StatusOr<std::vector<CityscapesFrame>> ListCityscapes(
    absl::string_view root, absl::string_view split,
    CityscapesLabelFolder label_folder = CityscapesLabelFolder::kNeeded);

// Problems of the files' presence, each a line that names the file and the way
// out: labels without a picture are not reported, pictures without a label are.
// Empty if all is well.
std::vector<std::string> FindMissingLabels(
    const std::vector<CityscapesFrame>& frames, DataConfig::LabelSource source);

// The same for one kind of file, such as &CityscapesFrame::polygons_path;
// `reason` says what needs it.
std::vector<std::string> FindMissingFiles(
    const std::vector<CityscapesFrame>& frames,
    std::string CityscapesFrame::*path, absl::string_view reason);

// Reads a label image as train ids, CV_8UC1, 0..18 or 255.
//
// Returns InvalidArgument if a pixel is outside the table (label ids 0..33,
// train ids 0..18 and 255), or as ReadPng().
absl::StatusOr<cv::Mat> ReadCityscapesLabel(const std::string& path,
                                            DataConfig::LabelSource source);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_CITYSCAPES_H_
