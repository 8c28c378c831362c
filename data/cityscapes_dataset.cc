#include "mask2former/data/cityscapes_dataset.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/parallel_for.h"
#include "mask2former/common/problem_list.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/cityscapes_polygons.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/instance_ids.h"

namespace mask2former {
namespace {

bool ReadsPolygons(const CityscapesOptions& options) {
  return options.task == DataConfig::INSTANCE &&
         options.instance_source == DataConfig::POLYGONS;
}

absl::Status CheckSize(const std::string& path, const cv::Size& size,
                       const CityscapesFrame& frame, const cv::Size& wanted) {
  if (wanted.empty() || size == wanted) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      path, " is ", size.height, " x ", size.width, " pixels, but its picture ",
      frame.image_path, " is ", wanted.height, " x ", wanted.width,
      ": they must be equal; unpack both archives again"));
}

absl::StatusOr<SegmentedPicture> ReadSegments(const std::string& path,
                                              DataConfig::Task task) {
  M2F_ASSIGN_OR_RETURN(const cv::Mat ids, ReadPng(path, PngFormat::kGray16));
  return task == DataConfig::PANOPTIC ? PanopticSegments(ids, path)
                                      : ThingSegments(ids, path);
}

absl::StatusOr<CityscapesPolygons> ReadPolygons(const CityscapesFrame& frame,
                                                const cv::Size& size) {
  M2F_ASSIGN_OR_RETURN(const std::string json,
                       ReadDataFile(frame.polygons_path));
  M2F_ASSIGN_OR_RETURN(CityscapesPolygons polygons,
                       ParseCityscapesPolygons(json, frame.polygons_path));
  M2F_RETURN_IF_ERROR(CheckSize(frame.polygons_path,
                                cv::Size(static_cast<int>(polygons.width),
                                         static_cast<int>(polygons.height)),
                                frame, size));
  return polygons;
}

// Whether a picture has a thing that is no crowd.
absl::StatusOr<bool> FrameHasThing(const CityscapesFrame& frame,
                                   const CityscapesOptions& options) {
  if (ReadsPolygons(options)) {
    M2F_ASSIGN_OR_RETURN(const CityscapesPolygons polygons,
                         ReadPolygons(frame, cv::Size()));
    return HasThing(polygons, frame.polygons_path);
  }
  M2F_ASSIGN_OR_RETURN(const SegmentedPicture picture,
                       ReadSegments(frame.instance_ids_path, options.task));
  return std::any_of(picture.segments.begin(), picture.segments.end(),
                     [](const Segment& segment) { return !segment.is_crowd; });
}

absl::StatusOr<std::vector<CityscapesFrame>> WithThings(
    std::vector<CityscapesFrame> frames, const CityscapesOptions& options,
    absl::string_view what) {
  std::vector<char> has_thing(frames.size(), 0);
  M2F_RETURN_IF_ERROR(ParallelFor(
      static_cast<int64_t>(frames.size()), /*num_threads=*/0, [&](int64_t i) {
        M2F_ASSIGN_OR_RETURN(const bool has, FrameHasThing(frames[i], options));
        has_thing[i] = has ? 1 : 0;
        return absl::OkStatus();
      }));
  std::vector<CityscapesFrame> kept;
  for (size_t i = 0; i < frames.size(); ++i) {
    if (has_thing[i] != 0) kept.push_back(std::move(frames[i]));
  }
  if (kept.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, ": none of the ", frames.size(),
                     " pictures has a thing (person, car, ...) to learn from"));
  }
  if (kept.size() < frames.size()) {
    LOG(INFO) << what << ": " << frames.size() - kept.size() << " of "
              << frames.size() << " pictures have no things and are left out";
  }
  return kept;
}

}  // namespace

absl::StatusOr<Sample> LoadCityscapes(const CityscapesFrame& frame,
                                      const CityscapesOptions& options) {
  Sample sample;
  sample.name = frame.name;
  sample.image_path = frame.image_path;
  M2F_ASSIGN_OR_RETURN(sample.image,
                       ReadPng(sample.image_path, PngFormat::kRgb8));
  if (options.task == DataConfig::SEMANTIC) {
    sample.label_path = frame.label_path(options.label_source);
    M2F_ASSIGN_OR_RETURN(
        sample.label,
        ReadCityscapesLabel(sample.label_path, options.label_source));
    M2F_RETURN_IF_ERROR(CheckSize(sample.label_path, sample.label.size(), frame,
                                  sample.image.size()));
    return sample;
  }
  if (ReadsPolygons(options)) {
    sample.label_path = frame.polygons_path;
    M2F_ASSIGN_OR_RETURN(sample.segments,
                         ReadThings(frame, sample.image.size()));
    return sample;
  }
  sample.label_path = frame.instance_ids_path;
  M2F_ASSIGN_OR_RETURN(SegmentedPicture picture,
                       ReadSegments(sample.label_path, options.task));
  M2F_RETURN_IF_ERROR(CheckSize(sample.label_path, picture.map.size(), frame,
                                sample.image.size()));
  sample.segment_map = picture.map;
  sample.segments = std::move(picture.segments);
  return sample;
}

absl::StatusOr<Sample> LoadCityscapes(const CityscapesFrame& frame,
                                      DataConfig::LabelSource source) {
  CityscapesOptions options;
  options.label_source = source;
  return LoadCityscapes(frame, options);
}

absl::StatusOr<std::vector<Segment>> ReadThings(const CityscapesFrame& frame,
                                                const cv::Size& size) {
  M2F_ASSIGN_OR_RETURN(const CityscapesPolygons polygons,
                       ReadPolygons(frame, size));
  return ThingsFromPolygons(polygons, frame.polygons_path);
}

std::vector<std::string> FindMissingFiles(
    const std::vector<CityscapesFrame>& frames,
    const CityscapesOptions& options) {
  if (options.task == DataConfig::SEMANTIC) {
    return FindMissingLabels(frames, options.label_source);
  }
  if (ReadsPolygons(options)) {
    return FindMissingFiles(frames, &CityscapesFrame::polygons_path,
                            "data.instance_source POLYGONS");
  }
  return FindMissingFiles(
      frames, &CityscapesFrame::instance_ids_path,
      absl::StrCat("data.task ", DataConfig::Task_Name(options.task)));
}

absl::StatusOr<std::unique_ptr<CityscapesDataset>> CityscapesDataset::Create(
    absl::string_view root, absl::string_view split,
    const CityscapesOptions& options) {
  M2F_ASSIGN_OR_RETURN(std::vector<CityscapesFrame> frames,
                       ListCityscapes(root, split));
  const std::string what = absl::StrCat("data set ", root, ", split ", split);
  M2F_RETURN_IF_ERROR(ListProblemsOf(what, FindMissingFiles(frames, options)));
  if (options.drop_without_things && options.task == DataConfig::INSTANCE) {
    M2F_ASSIGN_OR_RETURN(frames, WithThings(std::move(frames), options, what));
  }
  return std::unique_ptr<CityscapesDataset>(
      new CityscapesDataset(std::move(frames), options));
}

absl::StatusOr<std::unique_ptr<CityscapesDataset>> CityscapesDataset::Create(
    absl::string_view root, absl::string_view split,
    DataConfig::LabelSource source) {
  CityscapesOptions options;
  options.label_source = source;
  return Create(root, split, options);
}

CityscapesDataset::CityscapesDataset(std::vector<CityscapesFrame> frames,
                                     const CityscapesOptions& options)
    : frames_(std::move(frames)), options_(options), things_(frames_.size()) {}

int64_t CityscapesDataset::size() const {
  return static_cast<int64_t>(frames_.size());
}

int64_t CityscapesDataset::num_classes() const {
  return options_.task == DataConfig::INSTANCE
             ? kCityscapesClasses - kCityscapesFirstThing
             : kCityscapesClasses;
}

absl::StatusOr<Sample> CityscapesDataset::Load(int64_t index) const {
  CHECK_GE(index, 0);
  CHECK_LT(index, size());
  if (!ReadsPolygons(options_)) return LoadCityscapes(frames_[index], options_);
  Things things;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    things = things_[index];
  }
  if (things == nullptr) {
    M2F_ASSIGN_OR_RETURN(Sample sample,
                         LoadCityscapes(frames_[index], options_));
    things = std::make_shared<const std::vector<Segment>>(sample.segments);
    const std::lock_guard<std::mutex> lock(mutex_);
    things_[index] = std::move(things);
    return sample;
  }
  Sample sample;
  sample.name = frames_[index].name;
  sample.image_path = frames_[index].image_path;
  sample.label_path = frames_[index].polygons_path;
  M2F_ASSIGN_OR_RETURN(sample.image,
                       ReadPng(sample.image_path, PngFormat::kRgb8));
  sample.segments = *things;
  return sample;
}

}  // namespace mask2former
