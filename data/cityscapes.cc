#include "mask2former/data/cityscapes.h"

#include <array>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/label_values.h"

namespace mask2former {
namespace {

constexpr absl::string_view kImageSuffix = "_leftImg8bit.png";
// Where a split could be: the folder of unpacked files, then the archive.
std::string ArchivePath(absl::string_view root, absl::string_view kind) {
  return absl::StrCat(root, "/", kind, "_trainvaltest.zip");
}

absl::Status NoSplit(const std::string& above, absl::string_view root,
                     absl::string_view kind, absl::string_view split) {
  return absl::NotFoundError(absl::StrCat(
      "there is no split \"", split, "\" in ", above, " (it has: ",
      absl::StrJoin(ListDataFolder(above).value_or(std::vector<std::string>()),
                    ", "),
      "): unpack the whole of ", kind, "_trainvaltest.zip into ", root,
      ", or correct data.train_split and data.val_split"));
}

// The other kind of label lies beside the one asked for.
std::string OtherSourceHint(const CityscapesFrame& frame,
                            DataConfig::LabelSource source) {
  const DataConfig::LabelSource other = source == DataConfig::LABEL_IDS
                                            ? DataConfig::LABEL_TRAIN_IDS
                                            : DataConfig::LABEL_IDS;
  if (!DataFileExists(frame.label_path(other))) return "";
  return absl::StrCat(", or set data.label_source to ",
                      DataConfig::LabelSource_Name(other),
                      " to use the file beside it");
}

}  // namespace

absl::StatusOr<std::string> CityscapesFolder(absl::string_view root,
                                             absl::string_view kind,
                                             absl::string_view split) {
  root = absl::StripSuffix(root, "/");
  const std::string folder = absl::StrCat(root, "/", kind, "/", split);
  if (DataFolderExists(folder)) return folder;
  if (!DataFolderExists(std::string(root))) {
    return absl::NotFoundError(absl::StrCat(
        "there is no folder ", root,
        ": set data.root to the folder that holds leftImg8bit/ and gtFine/, or "
        "their archives"));
  }
  const std::string above = absl::StrCat(root, "/", kind);
  if (DataFolderExists(above)) return NoSplit(above, root, kind, split);
  const std::string archive = ArchivePath(root, kind);
  if (DataFileExists(archive)) {
    M2F_RETURN_IF_ERROR(CheckArchive(archive));
    const std::string inside = absl::StrCat(archive, "/", kind);
    const std::string packed = absl::StrCat(inside, "/", split);
    if (DataFolderExists(packed)) return packed;
    return NoSplit(inside, root, kind, split);
  }
  const std::string below = absl::StrCat(root, "/cityscapes");
  if (DataFolderExists(absl::StrCat(below, "/", kind)) ||
      DataFileExists(ArchivePath(below, kind))) {
    return absl::NotFoundError(absl::StrCat("there is no ", above,
                                            ", but there is one in ", below,
                                            ": set data.root to ", below));
  }
  return absl::NotFoundError(absl::StrCat(
      "there is no ", above, ": download ", kind,
      "_trainvaltest.zip (https://www.cityscapes-dataset.com/downloads/) and "
      "unpack it into ",
      root, ", or put it there as it is"));
}

absl::StatusOr<std::vector<CityscapesFrame>> ListCityscapes(
    absl::string_view root, absl::string_view split,
    CityscapesLabelFolder label_folder) {
  root = absl::StripSuffix(root, "/");
  M2F_ASSIGN_OR_RETURN(const std::string images,
                       CityscapesFolder(root, "leftImg8bit", split));
  absl::StatusOr<std::string> labels = CityscapesFolder(root, "gtFine", split);
  if (label_folder == CityscapesLabelFolder::kIfThere &&
      absl::IsNotFound(labels.status())) {
    labels = absl::StrCat(root, "/gtFine/", split);
  }
  M2F_RETURN_IF_ERROR(labels.status());
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> cities,
                       ListDataFolder(images));
  std::vector<CityscapesFrame> frames;
  for (const std::string& city : cities) {
    const std::string folder = absl::StrCat(images, "/", city);
    if (!DataFolderExists(folder)) continue;
    M2F_ASSIGN_OR_RETURN(const std::vector<std::string> files,
                         ListDataFolder(folder));
    for (const std::string& file : files) {
      if (!absl::EndsWith(file, kImageSuffix)) continue;
      CityscapesFrame frame;
      frame.name = std::string(absl::StripSuffix(file, kImageSuffix));
      frame.city = city;
      frame.image_path = absl::StrCat(folder, "/", file);
      const std::string stem =
          absl::StrCat(*labels, "/", city, "/", frame.name, "_gtFine_");
      frame.label_ids_path = absl::StrCat(stem, "labelIds.png");
      frame.label_train_ids_path = absl::StrCat(stem, "labelTrainIds.png");
      frame.instance_ids_path = absl::StrCat(stem, "instanceIds.png");
      frame.polygons_path = absl::StrCat(stem, "polygons.json");
      frames.push_back(std::move(frame));
    }
  }
  if (frames.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "there is no */*", kImageSuffix, " in ", images,
        ": unpack leftImg8bit_trainvaltest.zip into ", root, " again"));
  }
  return frames;
}

std::vector<std::string> FindMissingLabels(
    const std::vector<CityscapesFrame>& frames,
    DataConfig::LabelSource source) {
  std::vector<std::string> problems;
  for (const CityscapesFrame& frame : frames) {
    const std::string& path = frame.label_path(source);
    if (DataFileExists(path)) continue;
    problems.push_back(absl::StrCat(
        path, " is missing, the label of ", frame.image_path, ": ",
        source == DataConfig::LABEL_IDS
            ? "unpack gtFine_trainvaltest.zip again"
            : "make it with the official script csCreateTrainIdLabelImgs",
        OtherSourceHint(frame, source)));
  }
  return problems;
}

std::vector<std::string> FindMissingFiles(
    const std::vector<CityscapesFrame>& frames,
    std::string CityscapesFrame::*path, absl::string_view reason) {
  std::vector<std::string> problems;
  for (const CityscapesFrame& frame : frames) {
    if (DataFileExists(frame.*path)) continue;
    problems.push_back(
        absl::StrCat(frame.*path, " is missing, ", reason,
                     " needs it: unpack gtFine_trainvaltest.zip again"));
  }
  return problems;
}

absl::StatusOr<cv::Mat> ReadCityscapesLabel(const std::string& path,
                                            DataConfig::LabelSource source) {
  M2F_ASSIGN_OR_RETURN(cv::Mat label, ReadPng(path, PngFormat::kGray8));
  M2F_RETURN_IF_ERROR(CheckCityscapesLabel(label, path, source));
  const std::array<int, 256> train_ids = CityscapesTrainIds(source);
  std::array<uint8_t, 256> bytes;
  for (int value = 0; value < 256; ++value) {
    bytes[value] = static_cast<uint8_t>(train_ids[value]);
  }
  for (int y = 0; y < label.rows; ++y) {
    uint8_t* row = label.ptr<uint8_t>(y);
    for (int x = 0; x < label.cols; ++x) row[x] = bytes[row[x]];
  }
  return label;
}

}  // namespace mask2former
