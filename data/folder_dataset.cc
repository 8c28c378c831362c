#include "mask2former/data/folder_dataset.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/glob.h"
#include "mask2former/data/image_io.h"

namespace mask2former {
namespace {

constexpr size_t kLabelsLookedAt = 8;

}  // namespace

absl::StatusOr<std::unique_ptr<FolderDataset>> FolderDataset::Create(
    const std::string& root, const FolderData& config, Split split) {
  M2F_ASSIGN_OR_RETURN(ClassMap classes, ClassMap::Create(config));
  const bool is_train = split == Split::kTrain;
  const std::string& images =
      is_train ? config.train_images() : config.val_images();
  M2F_ASSIGN_OR_RETURN(
      const auto pairs,
      GlobPairs(root, images,
                is_train ? config.train_labels() : config.val_labels()));
  std::vector<FolderFrame> frames;
  for (const auto& [image, label] : pairs) {
    frames.push_back({absl::StrJoin(image.stars, "/"), image.path, label.path});
  }
  std::unique_ptr<FolderDataset> dataset(
      new FolderDataset(std::move(frames), std::move(classes)));
  M2F_RETURN_IF_ERROR(
      dataset->CheckSomeLabels(absl::StrCat(root, "/", images)));
  return dataset;
}

FolderDataset::FolderDataset(std::vector<FolderFrame> frames, ClassMap classes)
    : frames_(std::move(frames)), classes_(std::move(classes)) {}

absl::Status FolderDataset::CheckSomeLabels(const std::string& where) const {
  std::vector<std::string> labels;
  const size_t count = std::min(kLabelsLookedAt, frames_.size());
  for (size_t i = 0; i < count; ++i) {
    const std::string& path = frames_[i * frames_.size() / count].label_path;
    M2F_ASSIGN_OR_RETURN(std::string bytes, ReadDataFile(path));
    M2F_RETURN_IF_ERROR(classes_.Decode(bytes, path).status());
    labels.push_back(std::move(bytes));
  }
  return classes_.CheckForMasks(labels, where);
}

int64_t FolderDataset::size() const {
  return static_cast<int64_t>(frames_.size());
}

absl::StatusOr<cv::Mat> FolderDataset::LoadLabel(int64_t index) const {
  CHECK_GE(index, 0);
  CHECK_LT(index, size());
  const std::string& path = frames_[index].label_path;
  M2F_ASSIGN_OR_RETURN(const std::string bytes, ReadDataFile(path));
  return classes_.Decode(bytes, path);
}

absl::StatusOr<Sample> FolderDataset::Load(int64_t index) const {
  CHECK_GE(index, 0);
  CHECK_LT(index, size());
  const FolderFrame& frame = frames_[index];
  Sample sample;
  sample.name = frame.name;
  sample.image_path = frame.image_path;
  sample.label_path = frame.label_path;
  M2F_ASSIGN_OR_RETURN(sample.image, ReadImageAsRgb(frame.image_path));
  M2F_ASSIGN_OR_RETURN(sample.label, LoadLabel(index));
  if (sample.image.size() == sample.label.size()) return sample;
  return absl::InvalidArgumentError(absl::StrCat(
      sample.label_path, " is ", sample.label.rows, " x ", sample.label.cols,
      " pixels, but its picture ", sample.image_path, " is ", sample.image.rows,
      " x ", sample.image.cols, ": they must be equal"));
}

}  // namespace mask2former
