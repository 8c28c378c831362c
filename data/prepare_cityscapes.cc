#include "mask2former/data/prepare_cityscapes.h"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/parallel_for.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/cityscapes_panoptic.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/instance_ids.h"

namespace mask2former {
namespace {

using nlohmann::json;

constexpr absl::string_view kInstanceIds = "_instanceIds.png";
constexpr absl::string_view kLabelIds = "_labelIds.png";

// The files gtFine/{split}/*/*{suffix} in byte order of their paths.
absl::StatusOr<std::vector<std::string>> FindFiles(const std::string& folder,
                                                   absl::string_view suffix) {
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> cities,
                       ListDataFolder(folder));
  std::vector<std::string> paths;
  for (const std::string& city : cities) {
    const std::string below = absl::StrCat(folder, "/", city);
    if (absl::StartsWith(city, ".") || !DataFolderExists(below)) continue;
    M2F_ASSIGN_OR_RETURN(const std::vector<std::string> files,
                         ListDataFolder(below));
    for (const std::string& file : files) {
      if (absl::EndsWith(file, suffix) && !absl::StartsWith(file, ".")) {
        paths.push_back(absl::StrCat(below, "/", file));
      }
    }
  }
  if (paths.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "there is no */*", suffix, " in ", folder,
        ": unpack gtFine_trainvaltest.zip again, or name other splits"));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string FileName(const std::string& path) {
  return std::filesystem::path(path).filename().string();
}

std::string CityOf(const std::string& path) {
  return std::filesystem::path(path).parent_path().filename().string();
}

// Counts files, and tells of them.
class Progress {
 public:
  Progress(const PrepareOptions& options, int64_t total)
      : options_(options), total_(total) {}

  void Add() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++done_;
    if (options_.progress) options_.progress(done_, total_);
  }

 private:
  const PrepareOptions& options_;
  const int64_t total_;
  std::mutex mutex_;
  int64_t done_ = 0;
};

json SegmentsInfo(const PanopticRecord& record) {
  json segments = json::array();
  for (const PanopticRecord::Segment& segment : record.segments) {
    segments.push_back(
        {{"id", segment.id},
         {"category_id", segment.category_id},
         {"area", segment.area},
         {"bbox", {segment.x, segment.y, segment.width, segment.height}},
         {"iscrowd", segment.is_crowd ? 1 : 0}});
  }
  return segments;
}

absl::Status WriteTrainIds(const std::string& path, const std::string& folder) {
  M2F_ASSIGN_OR_RETURN(const cv::Mat train_ids,
                       ReadCityscapesLabel(path, DataConfig::LABEL_IDS));
  const std::string city = absl::StrCat(folder, "/", CityOf(path));
  M2F_RETURN_IF_ERROR(CreateDirectories(city));
  return WritePngAtomically(
      absl::StrCat(city, "/", absl::StripSuffix(FileName(path), kLabelIds),
                   "_labelTrainIds.png"),
      train_ids);
}

// Writes one panoptic picture and returns its two records.
absl::StatusOr<std::pair<json, json>> WritePanoptic(const std::string& path,
                                                    const std::string& folder) {
  M2F_ASSIGN_OR_RETURN(const cv::Mat ids, ReadPng(path, PngFormat::kGray16));
  M2F_ASSIGN_OR_RETURN(const PanopticRecord record,
                       MakePanopticRecord(ids, path));
  const std::string name = FileName(path);
  const auto renamed = [&name](absl::string_view suffix) {
    return absl::StrReplaceAll(name, {{kInstanceIds, suffix}});
  };
  const std::string id =
      absl::StrReplaceAll(name, {{"_gtFine_instanceIds.png", ""}});
  const std::string file = renamed("_panoptic.png");
  M2F_RETURN_IF_ERROR(
      WritePngAtomically(absl::StrCat(folder, "/", file), record.colors));
  return std::pair<json, json>(
      // No such picture exists; the official file says so all the same.
      PanopticJsonImage(id, ids.size(), renamed("_leftImg8bit.png")),
      {{"image_id", id},
       {"file_name", file},
       {"segments_info", SegmentsInfo(record)}});
}

struct SplitFiles {
  std::string split;
  std::vector<std::string> label_ids;
  std::vector<std::string> instance_ids;
};

absl::Status WriteSplit(const SplitFiles& files, const std::string& output,
                        int num_threads, Progress& progress) {
  M2F_RETURN_IF_ERROR(ParallelFor(
      static_cast<int64_t>(files.label_ids.size()), num_threads,
      [&](int64_t i) {
        M2F_RETURN_IF_ERROR(WriteTrainIds(
            files.label_ids[i], absl::StrCat(output, "/", files.split)));
        progress.Add();
        return absl::OkStatus();
      }));
  if (files.instance_ids.empty()) return absl::OkStatus();
  const std::string base =
      absl::StrCat(output, "/cityscapes_panoptic_", files.split);
  M2F_RETURN_IF_ERROR(CreateDirectories(base));
  std::vector<json> images(files.instance_ids.size());
  std::vector<json> annotations(files.instance_ids.size());
  M2F_RETURN_IF_ERROR(ParallelFor(
      static_cast<int64_t>(files.instance_ids.size()), num_threads,
      [&](int64_t i) {
        M2F_ASSIGN_OR_RETURN(std::tie(images[i], annotations[i]),
                             WritePanoptic(files.instance_ids[i], base));
        progress.Add();
        return absl::OkStatus();
      }));
  const json root = {{"images", std::move(images)},
                     {"annotations", std::move(annotations)},
                     {"categories", CityscapesPanopticJsonCategories()}};
  return WriteFileAtomically(
      absl::StrCat(base, ".json"),
      root.dump(/*indent=*/4, ' ', /*ensure_ascii=*/true));
}

// The folder with the split's labels, or the one in the archive.
absl::StatusOr<std::string> LabelsFolder(const PrepareOptions& options,
                                         const std::string& split) {
  M2F_ASSIGN_OR_RETURN(const std::string folder,
                       CityscapesFolder(options.root, "gtFine", split));
  if (options.output.empty() && !DirectoryExists(folder)) {
    return absl::InvalidArgumentError(absl::StrCat(
        folder,
        " is in an archive, and files beside it would hide it: set "
        "the output folder to another one, or unpack the archive"));
  }
  return folder;
}

}  // namespace

absl::StatusOr<PanopticRecord> MakePanopticRecord(const cv::Mat& instance_ids,
                                                  absl::string_view name) {
  M2F_ASSIGN_OR_RETURN(const SegmentedPicture picture,
                       PanopticSegments(instance_ids, name));
  PanopticRecord record;
  std::vector<cv::Vec3b> colors(picture.segments.size() + 1);
  for (size_t n = 0; n < picture.segments.size(); ++n) {
    const Segment& segment = picture.segments[n];
    PanopticRecord::Segment found;
    found.id = segment.id;
    found.category_id = CityscapesClass(static_cast<int>(segment.class_id)).id;
    found.is_crowd = segment.is_crowd;
    found.x = picture.map.cols;
    found.y = picture.map.rows;
    record.segments.push_back(found);
    colors[n + 1] = cv::Vec3b(static_cast<uint8_t>(segment.id % 256),
                              static_cast<uint8_t>(segment.id / 256 % 256),
                              static_cast<uint8_t>(segment.id / 65536));
  }
  record.colors = cv::Mat(picture.map.size(), CV_8UC3);
  // Until the end, width and height are the right and lower border.
  for (int y = 0; y < picture.map.rows; ++y) {
    const uint16_t* row = picture.map.ptr<uint16_t>(y);
    cv::Vec3b* out = record.colors.ptr<cv::Vec3b>(y);
    for (int x = 0; x < picture.map.cols; ++x) {
      out[x] = colors[row[x]];
      if (row[x] == 0) continue;
      PanopticRecord::Segment& segment = record.segments[row[x] - 1];
      ++segment.area;
      segment.x = std::min(segment.x, x);
      segment.y = std::min(segment.y, y);
      segment.width = std::max(segment.width, x + 1);
      segment.height = y + 1;
    }
  }
  for (PanopticRecord::Segment& segment : record.segments) {
    segment.width -= segment.x;
    segment.height -= segment.y;
  }
  return record;
}

absl::Status PrepareCityscapes(const PrepareOptions& options) {
  std::vector<SplitFiles> splits;
  int64_t total = 0;
  for (const std::string& split : options.splits) {
    M2F_ASSIGN_OR_RETURN(const std::string folder,
                         LabelsFolder(options, split));
    SplitFiles files;
    files.split = split;
    if (options.label_train_ids) {
      M2F_ASSIGN_OR_RETURN(files.label_ids, FindFiles(folder, kLabelIds));
    }
    if (options.panoptic) {
      M2F_ASSIGN_OR_RETURN(files.instance_ids, FindFiles(folder, kInstanceIds));
    }
    total += static_cast<int64_t>(files.label_ids.size() +
                                  files.instance_ids.size());
    splits.push_back(std::move(files));
  }
  const std::string output = options.output.empty()
                                 ? absl::StrCat(options.root, "/gtFine")
                                 : options.output;
  Progress progress(options, total);
  for (const SplitFiles& files : splits) {
    M2F_RETURN_IF_ERROR(
        WriteSplit(files, output, options.num_threads, progress));
  }
  return absl::OkStatus();
}

}  // namespace mask2former
