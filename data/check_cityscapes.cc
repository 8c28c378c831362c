#include "mask2former/data/check_cityscapes.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/parallel_for.h"
#include "mask2former/common/problem_list.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/cityscapes_dataset.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/dataset_report.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/instance_ids.h"

namespace mask2former {
namespace {

void Note(const absl::Status& status, std::vector<std::string>& problems) {
  if (!status.ok()) problems.push_back(std::string(status.message()));
}

// The header of `path`, if the file is as it should be.
absl::StatusOr<PngInfo> CheckHeader(const std::string& path, PngFormat format) {
  M2F_ASSIGN_OR_RETURN(const PngInfo info, ReadPngInfo(path));
  M2F_RETURN_IF_ERROR(CheckPngFormat(info, format, path));
  return info;
}

// The header of a file that belongs to a picture and has its size.
absl::Status CheckCompanion(const std::string& path, PngFormat format,
                            const std::string& image_path,
                            const PngInfo& image) {
  M2F_ASSIGN_OR_RETURN(const PngInfo info, CheckHeader(path, format));
  if (info.height == image.height && info.width == image.width) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      path, " is ", info.height, " x ", info.width, " pixels, but its picture ",
      image_path, " is ", image.height, " x ", image.width,
      ": they must be equal; unpack both archives again"));
}

// Which files of a split are looked at.
struct Wants {
  CityscapesOptions files;
  bool labels = false;
  bool instance_ids = false;
  bool polygons = false;
};

// Those that training reads.
Wants TrainingWants(const DataConfig& config) {
  Wants wants;
  wants.files.task = config.task();
  wants.files.label_source = config.label_source();
  wants.files.instance_source = config.instance_source();
  wants.labels = config.task() == DataConfig::SEMANTIC;
  wants.polygons = config.task() == DataConfig::INSTANCE &&
                   config.instance_source() == DataConfig::POLYGONS;
  wants.instance_ids = !wants.labels && !wants.polygons;
  return wants;
}

// Files that are wanted and not there, a line each.
std::vector<std::string> FindMissing(const std::vector<CityscapesFrame>& frames,
                                     const Wants& wants,
                                     const Wants& training) {
  std::vector<std::string> problems = FindMissingFiles(frames, wants.files);
  if (wants.labels && !training.labels) {
    for (std::string& problem :
         FindMissingLabels(frames, wants.files.label_source)) {
      problems.push_back(std::move(problem));
    }
  }
  if (wants.instance_ids && !training.instance_ids) {
    for (std::string& problem : FindMissingFiles(
             frames, &CityscapesFrame::instance_ids_path, "the evaluation")) {
      problems.push_back(std::move(problem));
    }
  }
  return problems;
}

// One label file: its header, and all of it if `read`.
absl::Status CheckLabel(const CityscapesFrame& frame, const Wants& wants,
                        const PngInfo& image, bool read) {
  const std::string& path = frame.label_path(wants.files.label_source);
  if (!DataFileExists(path)) return absl::OkStatus();  // Has been reported.
  M2F_RETURN_IF_ERROR(
      CheckCompanion(path, PngFormat::kGray8, frame.image_path, image));
  if (!read) return absl::OkStatus();
  return ReadCityscapesLabel(path, wants.files.label_source).status();
}

absl::Status CheckInstanceIds(const CityscapesFrame& frame,
                              DataConfig::Task task, const PngInfo& image,
                              bool read) {
  const std::string& path = frame.instance_ids_path;
  if (!DataFileExists(path)) return absl::OkStatus();
  M2F_RETURN_IF_ERROR(
      CheckCompanion(path, PngFormat::kGray16, frame.image_path, image));
  if (!read) return absl::OkStatus();
  M2F_ASSIGN_OR_RETURN(const cv::Mat ids, ReadPng(path, PngFormat::kGray16));
  return task == DataConfig::INSTANCE ? ThingSegments(ids, path).status()
                                      : PanopticSegments(ids, path).status();
}

// The problems of one picture and its companions; files that are missing have
// been reported before.
std::vector<std::string> CheckFrame(const CityscapesFrame& frame,
                                    const Wants& wants, bool read_label) {
  std::vector<std::string> problems;
  const absl::StatusOr<PngInfo> image =
      CheckHeader(frame.image_path, PngFormat::kRgb8);
  Note(image.status(), problems);
  if (!image.ok()) return problems;
  if (wants.labels) {
    Note(CheckLabel(frame, wants, *image, read_label), problems);
  }
  if (wants.instance_ids) {
    Note(CheckInstanceIds(frame, wants.files.task, *image, read_label),
         problems);
  }
  if (wants.polygons && read_label && DataFileExists(frame.polygons_path)) {
    Note(ReadThings(frame, cv::Size(static_cast<int>(image->width),
                                    static_cast<int>(image->height)))
             .status(),
         problems);
  }
  return problems;
}

// Tells of the progress every ten seconds.
class Progress {
 public:
  Progress(const std::string& split, int64_t total)
      : split_(split), total_(total) {}

  void Add() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++done_;
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::seconds(10)) return;
    last_ = now;
    LOG(INFO) << "checked " << done_ << " of " << total_ << " images of split "
              << split_;
  }

 private:
  const std::string split_;
  const int64_t total_;
  std::mutex mutex_;
  int64_t done_ = 0;
  std::chrono::steady_clock::time_point last_ =
      std::chrono::steady_clock::now();
};

void CheckSplit(const DataConfig& config, const std::string& split,
                const Wants& wants, int64_t max_files,
                std::vector<std::string>& problems) {
  const absl::StatusOr<std::vector<CityscapesFrame>> frames =
      ListCityscapes(config.root(), split);
  if (!frames.ok()) {
    Note(frames.status(), problems);
    return;
  }
  for (std::string& problem :
       FindMissing(*frames, wants, TrainingWants(config))) {
    problems.push_back(std::move(problem));
  }
  const auto size = static_cast<int64_t>(frames->size());
  const int64_t count = std::min(std::max<int64_t>(max_files, 0), size);
  std::vector<bool> read_label(size, false);
  for (int64_t i = 0; i < count; ++i) read_label[i * size / count] = true;
  std::vector<std::vector<std::string>> found(size);
  Progress progress(split, size);
  Note(ParallelFor(size, /*num_threads=*/0,
                   [&](int64_t i) {
                     found[i] = CheckFrame((*frames)[i], wants, read_label[i]);
                     progress.Add();
                     return absl::OkStatus();
                   }),
       problems);
  for (std::vector<std::string>& of_frame : found) {
    for (std::string& problem : of_frame) {
      problems.push_back(std::move(problem));
    }
  }
}

absl::Status CheckFolder(const DataConfig& config, int64_t max_files) {
  DatasetReportOptions options;
  options.max_files = max_files;
  M2F_ASSIGN_OR_RETURN(const DatasetReport report,
                       MakeDatasetReport(config, options));
  std::vector<std::string> problems;
  for (const SplitReport& split : report.splits) {
    for (const std::string& note : split.notes) {
      LOG(WARNING) << "split " << split.name << ": " << note;
    }
    problems.insert(problems.end(), split.problems.begin(),
                    split.problems.end());
  }
  return ListProblemsOf(absl::StrCat("data set ", config.root()), problems);
}

}  // namespace

absl::Status CheckCityscapes(const DataConfig& config,
                             const CityscapesCheckOptions& options) {
  if (config.has_folder()) return CheckFolder(config, options.max_files);
  std::vector<std::string> problems;
  const Wants training = TrainingWants(config);
  Wants wants = training;
  if (config.val_split() != config.train_split()) {
    CheckSplit(config, config.train_split(), training, options.max_files,
               problems);
  }
  wants.labels |= options.needs_labels;
  wants.instance_ids |= options.needs_instance_ids;
  CheckSplit(config, config.val_split(), wants, options.max_files, problems);
  // The same archive is missing for both splits, say.
  std::vector<std::string> unique;
  for (std::string& problem : problems) {
    if (std::find(unique.begin(), unique.end(), problem) == unique.end()) {
      unique.push_back(std::move(problem));
    }
  }
  return ListProblemsOf(absl::StrCat("data set ", config.root()), unique);
}

}  // namespace mask2former
