#ifndef MASK2FORMER_DATA_CHECK_CITYSCAPES_H_
#define MASK2FORMER_DATA_CHECK_CITYSCAPES_H_

#include <cstdint>
#include <limits>

#include "absl/status/status.h"
#include "mask2former/data/data_config.pb.h"

namespace mask2former {

struct CityscapesCheckOptions {
  // Label images of each split that are read whole, spread evenly over it; of
  // the others and of pictures the headers are read.
  int64_t max_files = std::numeric_limits<int64_t>::max();
  // What an evaluation reads of the val split, besides config.task's files:
  // *_gtFine_instanceIds.png, for instances, panoptic segments and the iIoU,
  bool needs_instance_ids = false;
  // and the labels of config.label_source, for semantic segmentation.
  bool needs_labels = false;
};

// Looks for what would stop a run of config.task later, its evaluations
// included: missing archives, pictures without labels, files of the wrong size,
// colour type or bit depth, labels, instance ids or polygons that are damaged
// or outside the table. Reads with all cores, and tells of its progress in the
// log if it takes long (Cityscapes: some 10 ms a label and core). With
// config.folder, looks at these pictures, and warns of classes that are never
// seen.
//
// Returns OK, or one error that lists the problems of both splits, a line each
// with the file and the way out.
absl::Status CheckCityscapes(const DataConfig& config,
                             const CityscapesCheckOptions& options = {});

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_CHECK_CITYSCAPES_H_
