#ifndef MASK2FORMER_DATA_CITYSCAPES_DATASET_H_
#define MASK2FORMER_DATA_CITYSCAPES_DATASET_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/dataset.h"

namespace mask2former {

// Which of a picture's files are read.
struct CityscapesOptions {
  DataConfig::Task task = DataConfig::SEMANTIC;
  DataConfig::LabelSource label_source = DataConfig::LABEL_IDS;  // SEMANTIC.
  DataConfig::InstanceSource instance_source =
      DataConfig::POLYGONS;  // INSTANCE.
  // Leaves out pictures without things that are no crowd, as the published
  // instance training does; INSTANCE only. Creating the data set then reads all
  // annotations, with all cores (Cityscapes: some 10 s on one).
  bool drop_without_things = false;
};

// A picture's files, as `options` says, which must be there.
//
// Returns InvalidArgument if their sizes differ, or as ReadPng(),
// ReadCityscapesLabel(), PanopticSegments(), ThingSegments() and
// ParseCityscapesPolygons().
absl::StatusOr<Sample> LoadCityscapes(const CityscapesFrame& frame,
                                      const CityscapesOptions& options);
absl::StatusOr<Sample> LoadCityscapes(const CityscapesFrame& frame,
                                      DataConfig::LabelSource source);

// The things of a picture from its polygons; see ThingsFromPolygons(). The
// picture must be of `size`, unless that is empty.
absl::StatusOr<std::vector<Segment>> ReadThings(const CityscapesFrame& frame,
                                                const cv::Size& size);

// Problems of the files' presence, as FindMissingLabels(), for any task.
std::vector<std::string> FindMissingFiles(
    const std::vector<CityscapesFrame>& frames,
    const CityscapesOptions& options);

// A task's view of a split: K = 19, or 8 for INSTANCE.
class CityscapesDataset : public Dataset {
 public:
  // Lists the files and verifies that every picture has the others; reads none
  // of them unless options.drop_without_things.
  static absl::StatusOr<std::unique_ptr<CityscapesDataset>> Create(
      absl::string_view root, absl::string_view split,
      const CityscapesOptions& options);
  static absl::StatusOr<std::unique_ptr<CityscapesDataset>> Create(
      absl::string_view root, absl::string_view split,
      DataConfig::LabelSource source);

  int64_t size() const override;
  int64_t num_classes() const override;

  // Outlines of things are kept in memory once they are computed (some 50 kB a
  // picture).
  absl::StatusOr<Sample> Load(int64_t index) const override;

  const std::vector<CityscapesFrame>& frames() const { return frames_; }

 private:
  using Things = std::shared_ptr<const std::vector<Segment>>;

  CityscapesDataset(std::vector<CityscapesFrame> frames,
                    const CityscapesOptions& options);

  std::vector<CityscapesFrame> frames_;
  CityscapesOptions options_;
  mutable std::mutex mutex_;
  mutable std::vector<Things> things_;  // By index; null: not known yet.
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_CITYSCAPES_DATASET_H_
