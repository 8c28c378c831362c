#include "mask2former/data/picture_report.h"

#include <chrono>
#include <opencv2/core/mat.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/data/cityscapes_dataset.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/dataset.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/instance_ids.h"
#include "mask2former/data/label_values.h"

namespace mask2former {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string SizeText(const cv::Mat& image) {
  return absl::StrCat(image.rows, " x ", image.cols);
}

void Note(const absl::Status& status, PictureReport& report) {
  if (!status.ok()) report.problems.push_back(std::string(status.message()));
}

std::array<int64_t, 256> CountValues(const cv::Mat& label) {
  std::array<int64_t, 256> counts{};
  for (int y = 0; y < label.rows; ++y) {
    const uint8_t* row = label.ptr<uint8_t>(y);
    for (int x = 0; x < label.cols; ++x) ++counts[row[x]];
  }
  return counts;
}

// Adds pixels of a value of a label whose train id is `train_id`.
void CountPixels(int train_id, int64_t count, PictureReport& report) {
  report.pixels += count;
  if (train_id == kIgnoreLabel) {
    report.ignored_pixels += count;
  } else if (train_id >= 0 &&
             train_id < static_cast<int>(report.class_pixels.size())) {
    report.class_pixels[train_id] += count;
  }
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

}  // namespace

PictureReport LookAtPicture(const CityscapesFrame& frame,
                            const DataConfig& config) {
  PictureReport report;
  report.class_pixels.assign(kCityscapesClasses, 0);
  report.instances.assign(kCityscapesClasses, 0);
  report.groups.assign(kCityscapesClasses, 0);
  const cv::Mat image =
      Timed([&] { return ReadPng(frame.image_path, PngFormat::kRgb8); },
            report.image_seconds, report);
  if (!image.empty()) report.image_kind = KindOf(frame.image_path, image);
  const DataConfig::LabelSource source = config.label_source();
  const std::string& path = frame.label_path(source);
  report.label_path = path;
  if (DataFileExists(path)) {
    const cv::Mat label =
        Timed([&] { return ReadPng(path, PngFormat::kGray8); },
              report.label_seconds, report);
    if (!label.empty()) {
      report.label_kind = KindOf(path, label);
      report.values = CountValues(label);
      const std::array<int, 256> train_ids = CityscapesTrainIds(source);
      for (int value = 0; value < 256; ++value) {
        CountPixels(train_ids[value], report.values[value], report);
      }
      Note(CheckCityscapesLabel(label, path, source), report);
    }
    CheckPair(image, frame.image_path, label, path, report);
  }
  CountInstances(frame, image, report);
  if (DataFileExists(frame.polygons_path)) {
    Note(ReadThings(frame, image.size()).status(), report);
  }
  return report;
}

PictureReport LookAtPicture(const FolderDataset& dataset, int64_t index) {
  PictureReport report;
  report.class_pixels.assign(dataset.num_classes(), 0);
  const FolderFrame& frame = dataset.frames()[index];
  report.label_path = frame.label_path;
  const cv::Mat image = Timed([&] { return ReadImageAsRgb(frame.image_path); },
                              report.image_seconds, report);
  if (!image.empty()) report.image_kind = KindOf(frame.image_path, image);
  const cv::Mat label = Timed([&] { return dataset.LoadLabel(index); },
                              report.label_seconds, report);
  if (!label.empty()) {
    report.label_kind = KindOf(frame.label_path, label);
    const std::array<int64_t, 256> counts = CountValues(label);
    for (int value = 0; value < 256; ++value) {
      CountPixels(value, counts[value], report);
    }
  }
  CheckPair(image, frame.image_path, label, frame.label_path, report);
  return report;
}

}  // namespace mask2former
