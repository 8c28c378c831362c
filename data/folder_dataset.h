#ifndef MASK2FORMER_DATA_FOLDER_DATASET_H_
#define MASK2FORMER_DATA_FOLDER_DATASET_H_

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/data/class_map.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/dataset.h"

namespace mask2former {

// One picture of a user's own and its label image.
struct FolderFrame {
  std::string name;  // What the "*" of the pattern stand for, with "/" between.
  std::string image_path;
  std::string label_path;
};

// Pictures and label images in folders or zip archives, with a user's own
// classes: the semantic task on data that are not Cityscapes.
class FolderDataset : public Dataset {
 public:
  enum class Split { kTrain, kVal };

  // Lists the files below `root`, and reads up to eight labels to see whether
  // the settings fit them.
  //
  // Returns as ClassMap::Create(), GlobPairs() and ClassMap::Decode().
  static absl::StatusOr<std::unique_ptr<FolderDataset>> Create(
      const std::string& root, const FolderData& config, Split split);

  int64_t size() const override;
  int64_t num_classes() const override { return classes_.num_classes(); }

  // Returns InvalidArgument if picture and label differ in size, or as
  // ReadImageAsRgb() and ClassMap::Decode().
  absl::StatusOr<Sample> Load(int64_t index) const override;

  // The label alone, CV_8UC1 train ids.
  absl::StatusOr<cv::Mat> LoadLabel(int64_t index) const;

  const std::vector<FolderFrame>& frames() const { return frames_; }
  const ClassMap& classes() const { return classes_; }

 private:
  FolderDataset(std::vector<FolderFrame> frames, ClassMap classes);

  absl::Status CheckSomeLabels(const std::string& where) const;

  std::vector<FolderFrame> frames_;
  ClassMap classes_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_FOLDER_DATASET_H_
