#include "mask2former/data/dataset_report.h"

#include <algorithm>
#include <array>
#include <memory>
#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/parallel_for.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/cityscapes_dataset.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/folder_dataset.h"
#include "mask2former/data/label_values.h"
#include "mask2former/data/official_splits.h"
#include "mask2former/data/picture_report.h"
#include "mask2former/data/unpaired_labels.h"

namespace mask2former {
namespace {

constexpr char kOutsideName[] = "outside";

// Every value of the table.
std::map<int, ValueReport> TableOf(DataConfig::LabelSource source) {
  const std::array<int, 256> train_ids = CityscapesTrainIds(source);
  std::map<int, ValueReport> values;
  for (int value = 0; value < 256; ++value) {
    const int train_id = train_ids[value];
    if (train_id == kOutsideCityscapes) continue;
    values[value].name = source == DataConfig::LABEL_IDS
                             ? std::string(CityscapesLabels()[value].name)
                         : train_id == kCityscapesIgnore
                             ? "ignored"
                             : std::string(CityscapesClass(value).name);
  }
  return values;
}

void AddValues(const PictureReport& picture, SplitReport& split) {
  for (int value = 0; value < 256; ++value) {
    if (picture.values[value] == 0) continue;
    ValueReport& report = split.values[value];
    if (report.name.empty()) {
      report.name = kOutsideName;
      report.first_file = picture.label_path;
    }
    report.pixels += picture.values[value];
    ++report.pictures;
  }
}

void Add(PictureReport& picture, SplitReport& split) {
  for (std::string& problem : picture.problems) {
    split.problems.push_back(std::move(problem));
  }
  if (!picture.image_kind.empty()) ++split.image_kinds[picture.image_kind];
  if (!picture.label_kind.empty()) {
    ++split.label_kinds[picture.label_kind];
    ++split.labels_decoded;
  }
  AddValues(picture, split);
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
  if (split.labels_decoded < split.labels) {
    split.notes.push_back(absl::StrCat(split.labels - split.labels_decoded,
                                       " labels could not be read: whether all "
                                       "classes are seen is not known"));
    return;
  }
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
  if (const OfficialSplit* official = FindOfficialSplit(name, frames)) {
    split.expected = official->pictures;
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
  M2F_ASSIGN_OR_RETURN(const std::vector<std::string> alone,
                       FindLabelsWithoutPicture(config.root(), name, frames,
                                                config.label_source()));
  split.labels_without_picture = static_cast<int64_t>(alone.size());
  split.problems.insert(split.problems.end(), alone.begin(), alone.end());
  split.values = TableOf(config.label_source());
  for (int k = 0; k < kCityscapesClasses; ++k) {
    split.classes.push_back({std::string(CityscapesClass(k).name)});
  }
  M2F_RETURN_IF_ERROR(LookAtAll(
      split.pictures, options,
      [&](int64_t i) { return LookAtPicture(frames[i], config); }, split));
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
      split.pictures, options,
      [&](int64_t i) { return LookAtPicture(*dataset, i); }, split));
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

// Official splits that are not there, although others are.
void NoteAbsentSplits(DatasetReport& report) {
  const auto is_official = [](const SplitReport& split) {
    return split.expected != -1;
  };
  if (std::none_of(report.splits.begin(), report.splits.end(), is_official)) {
    return;
  }
  for (const OfficialSplit& official : OfficialSplits()) {
    if (std::any_of(report.splits.begin(), report.splits.end(),
                    [&official](const SplitReport& split) {
                      return split.name == official.name;
                    })) {
      continue;
    }
    report.notes.push_back(absl::StrCat("there is no split ", official.name,
                                        ", of which Cityscapes has ",
                                        official.pictures, " pictures"));
  }
}

}  // namespace

absl::StatusOr<DatasetReport> MakeDatasetReport(
    const DataConfig& config, const DatasetReportOptions& options) {
  DatasetReport report;
  report.root = config.root();
  absl::Status first_error;
  bool is_any_readable = false;
  for (const std::string& name : SplitsOf(config, options)) {
    absl::StatusOr<SplitReport> split =
        config.has_folder() ? FolderSplit(config, name, options)
                            : CityscapesSplit(config, name, options);
    is_any_readable |= split.ok();
    if (!split.ok()) {
      SplitReport unreadable;
      unreadable.name = name;
      unreadable.problems.push_back(std::string(split.status().message()));
      first_error.Update(split.status());
      split = std::move(unreadable);
    }
    report.splits.push_back(*std::move(split));
  }
  if (!is_any_readable) return first_error;
  if (options.splits.empty()) NoteAbsentSplits(report);
  return report;
}

}  // namespace mask2former
