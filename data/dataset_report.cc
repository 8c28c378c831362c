#include "mask2former/data/dataset_report.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <opencv2/core/mat.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/parallel_for.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/cityscapes_dataset.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/dataset.h"
#include "mask2former/data/folder_dataset.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/instance_ids.h"

namespace mask2former {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct OfficialSplit {
  const char* name;
  const char* city;  // One of its own.
  int64_t pictures;
};

constexpr OfficialSplit kOfficialSplits[] = {{"train", "aachen", 2975},
                                             {"val", "frankfurt", 500},
                                             {"test", "berlin", 1525}};

std::string SizeText(const cv::Mat& image) {
  return absl::StrCat(image.rows, " x ", image.cols);
}

// What one picture adds to a split's report.
struct PictureReport {
  std::vector<std::string> problems;
  std::string image_kind;  // Empty: not read.
  std::string label_kind;
  std::vector<int64_t> class_pixels;
  std::vector<int64_t> instances;
  std::vector<int64_t> groups;
  int64_t pixels = 0;
  int64_t ignored_pixels = 0;
  double image_seconds = 0;
  double label_seconds = 0;
};

void Note(const absl::Status& status, PictureReport& report) {
  if (!status.ok()) report.problems.push_back(std::string(status.message()));
}

void CountLabel(const cv::Mat& label, PictureReport& report) {
  std::vector<int64_t> counts(256, 0);
  for (int y = 0; y < label.rows; ++y) {
    const uint8_t* row = label.ptr<uint8_t>(y);
    for (int x = 0; x < label.cols; ++x) ++counts[row[x]];
  }
  for (size_t k = 0; k < report.class_pixels.size(); ++k) {
    report.class_pixels[k] += counts[k];
  }
  report.ignored_pixels += counts[kIgnoreLabel];
  report.pixels += static_cast<int64_t>(label.total());
}

void CheckPair(const cv::Mat& image, const std::string& image_path,
               const cv::Mat& other, const std::string& path,
               PictureReport& report) {
  if (image.empty() || other.empty() || image.size() == other.size()) return;
  report.problems.push_back(absl::StrCat(
      path, " is ", SizeText(other), " pixels, but its picture ", image_path,
      " is ", SizeText(image), ": they must be equal"));
}

// Reads with a stop watch.
template <typename Read>
cv::Mat Timed(const Read& read, double& seconds, PictureReport& report) {
  const Clock::time_point start = Clock::now();
  const absl::StatusOr<cv::Mat> image = read();
  seconds += SecondsSince(start);
  Note(image.status(), report);
  return image.ok() ? *image : cv::Mat();
}

std::string KindOf(const std::string& path, const cv::Mat& image) {
  const absl::StatusOr<PngInfo> info = ReadPngInfo(path);
  return absl::StrCat(SizeText(image), " ",
                      info.ok() ? Describe(*info) : "not PNG");
}

// Counts the things of a picture of Cityscapes.
void CountInstances(const CityscapesFrame& frame, const cv::Mat& image,
                    PictureReport& report) {
  const std::string& path = frame.instance_ids_path;
  if (!DataFileExists(path)) return;
  const absl::StatusOr<cv::Mat> ids = ReadPng(path, PngFormat::kGray16);
  Note(ids.status(), report);
  if (!ids.ok()) return;
  CheckPair(image, frame.image_path, *ids, path, report);
  const absl::StatusOr<SegmentedPicture> picture = PanopticSegments(*ids, path);
  Note(picture.status(), report);
  if (!picture.ok()) return;
  for (const Segment& segment : picture->segments) {
    if (segment.class_id < kCityscapesFirstThing) continue;
    ++(segment.is_crowd ? report.groups : report.instances)[segment.class_id];
  }
}

PictureReport LookAt(const CityscapesFrame& frame, const DataConfig& config) {
  PictureReport report;
  report.class_pixels.assign(kCityscapesClasses, 0);
  report.instances.assign(kCityscapesClasses, 0);
  report.groups.assign(kCityscapesClasses, 0);
  const cv::Mat image =
      Timed([&] { return ReadPng(frame.image_path, PngFormat::kRgb8); },
            report.image_seconds, report);
  if (!image.empty()) report.image_kind = KindOf(frame.image_path, image);
  const std::string& path = frame.label_path(config.label_source());
  if (DataFileExists(path)) {
    const cv::Mat label =
        Timed([&] { return ReadCityscapesLabel(path, config.label_source()); },
              report.label_seconds, report);
    if (!label.empty()) {
      report.label_kind = KindOf(path, label);
      CountLabel(label, report);
    }
    CheckPair(image, frame.image_path, label, path, report);
  }
  CountInstances(frame, image, report);
  if (DataFileExists(frame.polygons_path)) {
    Note(ReadThings(frame, image.size()).status(), report);
  }
  return report;
}

PictureReport LookAt(const FolderDataset& dataset, int64_t index) {
  PictureReport report;
  report.class_pixels.assign(dataset.num_classes(), 0);
  const FolderFrame& frame = dataset.frames()[index];
  const cv::Mat image = Timed([&] { return ReadImageAsRgb(frame.image_path); },
                              report.image_seconds, report);
  if (!image.empty()) report.image_kind = KindOf(frame.image_path, image);
  const cv::Mat label = Timed([&] { return dataset.LoadLabel(index); },
                              report.label_seconds, report);
  if (!label.empty()) {
    report.label_kind = KindOf(frame.label_path, label);
    CountLabel(label, report);
  }
  CheckPair(image, frame.image_path, label, frame.label_path, report);
  return report;
}

void Add(PictureReport& picture, SplitReport& split) {
  for (std::string& problem : picture.problems) {
    split.problems.push_back(std::move(problem));
  }
  if (!picture.image_kind.empty()) ++split.image_kinds[picture.image_kind];
  if (!picture.label_kind.empty()) ++split.label_kinds[picture.label_kind];
  for (size_t k = 0; k < picture.class_pixels.size(); ++k) {
    split.classes[k].pixels += picture.class_pixels[k];
    split.classes[k].pictures += picture.class_pixels[k] > 0 ? 1 : 0;
  }
  for (size_t k = 0; k < picture.instances.size(); ++k) {
    split.classes[k].instances += picture.instances[k];
    split.classes[k].groups += picture.groups[k];
  }
  split.pixels += picture.pixels;
  split.ignored_pixels += picture.ignored_pixels;
  split.image_seconds += picture.image_seconds;
  split.label_seconds += picture.label_seconds;
}

// Looks at `count` pictures, all or some of them, and fills the report in.
absl::Status LookAtAll(int64_t count, const DatasetReportOptions& options,
                       const std::function<PictureReport(int64_t)>& look,
                       SplitReport& split) {
  const int64_t some = std::min(std::max<int64_t>(options.max_files, 0), count);
  std::vector<PictureReport> pictures(some);
  std::mutex mutex;
  int64_t done = 0;
  M2F_RETURN_IF_ERROR(ParallelFor(some, options.num_threads, [&](int64_t i) {
    pictures[i] = look(i * count / some);
    const std::lock_guard<std::mutex> lock(mutex);
    ++done;
    if (options.progress) options.progress(split.name, done, some);
    return absl::OkStatus();
  }));
  for (PictureReport& picture : pictures) Add(picture, split);
  split.looked_at = some;
  if (some > 0) {
    split.image_seconds /= static_cast<double>(some);
    split.label_seconds /= static_cast<double>(some);
  }
  return absl::OkStatus();
}

// Classes that no label shows, where all labels were read.
void NoteUnseen(SplitReport& split) {
  if (split.looked_at < split.pictures || split.labels == 0) return;
  if (split.pixels > 0 && split.ignored_pixels == split.pixels) {
    split.notes.push_back(
        "all pixels are ignored: its labels are not public, say, and it cannot "
        "be scored");
    return;
  }
  for (const ClassReport& c : split.classes) {
    if (c.pixels == 0) {
      split.notes.push_back(
          absl::StrCat("class \"", c.name, "\" is never seen"));
    }
  }
}

absl::StatusOr<SplitReport> CityscapesSplit(
    const DataConfig& config, const std::string& name,
    const DatasetReportOptions& options) {
  M2F_ASSIGN_OR_RETURN(const std::vector<CityscapesFrame> frames,
                       ListCityscapes(config.root(), name));
  SplitReport split;
  split.name = name;
  split.pictures = static_cast<int64_t>(frames.size());
  for (const OfficialSplit& official : kOfficialSplits) {
    if (name == official.name && std::any_of(frames.begin(), frames.end(),
                                             [&](const CityscapesFrame& frame) {
                                               return frame.city ==
                                                      official.city;
                                             })) {
      split.expected = official.pictures;
    }
  }
  if (split.expected != -1 && split.expected != split.pictures) {
    split.problems.push_back(absl::StrCat(
        split.pictures, " pictures, but the official split has ",
        split.expected, ": unpack leftImg8bit_trainvaltest.zip again"));
  }
  std::vector<std::string> missing =
      FindMissingLabels(frames, config.label_source());
  split.labels = split.pictures - static_cast<int64_t>(missing.size());
  if (config.task() != DataConfig::SEMANTIC) {
    CityscapesOptions files;
    files.task = config.task();
    files.instance_source = config.instance_source();
    for (std::string& problem : FindMissingFiles(frames, files)) {
      missing.push_back(std::move(problem));
    }
  }
  split.problems.insert(split.problems.end(), missing.begin(), missing.end());
  for (int k = 0; k < kCityscapesClasses; ++k) {
    split.classes.push_back({std::string(CityscapesClass(k).name)});
  }
  M2F_RETURN_IF_ERROR(LookAtAll(
      split.pictures, options,
      [&](int64_t i) { return LookAt(frames[i], config); }, split));
  NoteUnseen(split);
  return split;
}

absl::StatusOr<SplitReport> FolderSplit(const DataConfig& config,
                                        const std::string& name,
                                        const DatasetReportOptions& options) {
  M2F_ASSIGN_OR_RETURN(
      const std::unique_ptr<FolderDataset> dataset,
      FolderDataset::Create(config.root(), config.folder(),
                            name == "train" ? FolderDataset::Split::kTrain
                                            : FolderDataset::Split::kVal));
  SplitReport split;
  split.name = name;
  split.pictures = dataset->size();
  split.labels = dataset->size();
  for (const std::string& c : dataset->classes().names()) {
    split.classes.push_back({c});
  }
  M2F_RETURN_IF_ERROR(LookAtAll(
      split.pictures, options, [&](int64_t i) { return LookAt(*dataset, i); },
      split));
  NoteUnseen(split);
  return split;
}

// The splits to look at.
std::vector<std::string> SplitsOf(const DataConfig& config,
                                  const DatasetReportOptions& options) {
  if (!options.splits.empty()) return options.splits;
  if (config.has_folder()) return {"train", "val"};
  std::vector<std::string> splits = {config.train_split()};
  for (const std::string& split : {config.val_split(), std::string("train"),
                                   std::string("val"), std::string("test")}) {
    const bool is_listed =
        std::find(splits.begin(), splits.end(), split) != splits.end();
    if (!is_listed &&
        (split == config.val_split() ||
         CityscapesFolder(config.root(), "leftImg8bit", split).ok())) {
      splits.push_back(split);
    }
  }
  return splits;
}

}  // namespace

absl::StatusOr<DatasetReport> MakeDatasetReport(
    const DataConfig& config, const DatasetReportOptions& options) {
  DatasetReport report;
  report.root = config.root();
  for (const std::string& name : SplitsOf(config, options)) {
    M2F_ASSIGN_OR_RETURN(SplitReport split,
                         config.has_folder()
                             ? FolderSplit(config, name, options)
                             : CityscapesSplit(config, name, options));
    report.splits.push_back(std::move(split));
  }
  return report;
}

}  // namespace mask2former
