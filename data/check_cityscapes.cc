#include "mask2former/data/check_cityscapes.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/image_io.h"

namespace mask2former {
namespace {

void Note(const absl::Status& status, std::vector<std::string>& problems) {
  if (!status.ok()) problems.push_back(std::string(status.message()));
}

absl::Status CheckInstanceIds(const CityscapesFrame& frame) {
  const absl::StatusOr<cv::Mat> instances =
      ReadPng(frame.instance_ids_path, PngFormat::kGray16);
  if (!instances.ok()) return instances.status();
  const absl::StatusOr<PngInfo> image = ReadPngInfo(frame.image_path);
  if (!image.ok()) return absl::OkStatus();  // Reported with the picture.
  if (image->height != instances->rows || image->width != instances->cols) {
    return absl::InvalidArgumentError(absl::StrCat(
        frame.instance_ids_path, " is ", instances->rows, " x ",
        instances->cols, " pixels, but its picture ", frame.image_path, " is ",
        image->height, " x ", image->width, ": unpack both archives again"));
  }
  return absl::OkStatus();
}

void CheckSplit(const DataConfig& config, const std::string& split,
                bool needs_instance_ids, int64_t max_files,
                std::vector<std::string>& problems) {
  const absl::StatusOr<std::vector<CityscapesFrame>> frames =
      ListCityscapes(config.root(), split);
  if (!frames.ok()) {
    Note(frames.status(), problems);
    return;
  }
  for (std::string& problem :
       FindMissingLabels(*frames, config.label_source())) {
    problems.push_back(std::move(problem));
  }
  if (needs_instance_ids) {
    for (const CityscapesFrame& frame : *frames) {
      if (FileExists(frame.instance_ids_path)) continue;
      problems.push_back(
          absl::StrCat(frame.instance_ids_path, " is missing, the iIoU needs ",
                       "it: unpack gtFine_trainvaltest.zip again"));
    }
  }
  const auto size = static_cast<int64_t>(frames->size());
  const int64_t count = std::min(std::max<int64_t>(max_files, 0), size);
  for (int64_t i = 0; i < count; ++i) {
    const CityscapesFrame& frame = (*frames)[i * size / count];
    if (FileExists(frame.label_path(config.label_source()))) {
      Note(LoadCityscapes(frame, config.label_source()).status(), problems);
    }
    if (needs_instance_ids && FileExists(frame.instance_ids_path)) {
      Note(CheckInstanceIds(frame), problems);
    }
  }
}

}  // namespace

absl::Status CheckCityscapes(const DataConfig& config,
                             const CityscapesCheckOptions& options) {
  std::vector<std::string> problems;
  CheckSplit(config, config.train_split(), false, options.max_files, problems);
  if (config.val_split() != config.train_split()) {
    CheckSplit(config, config.val_split(), options.needs_instance_ids,
               options.max_files, problems);
  } else if (options.needs_instance_ids) {
    CheckSplit(config, config.val_split(), true, 0, problems);
  }
  // The same archive is missing for both splits, say.
  std::vector<std::string> unique;
  for (std::string& problem : problems) {
    if (std::find(unique.begin(), unique.end(), problem) == unique.end()) {
      unique.push_back(std::move(problem));
    }
  }
  return ProblemsToStatus(absl::StrCat("data set ", config.root()), unique);
}

}  // namespace mask2former
