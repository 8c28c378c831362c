#ifndef MASK2FORMER_DATA_CHECK_CITYSCAPES_H_
#define MASK2FORMER_DATA_CHECK_CITYSCAPES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "mask2former/data/data_config.pb.h"

namespace mask2former {

struct CityscapesCheckOptions {
  // Pictures of each split that are read whole, with their labels, spread
  // evenly over it. The others only have to exist. A large number reads all.
  int64_t max_files = 8;
  // Whether the val split needs *_gtFine_instanceIds.png, as the iIoU does.
  bool needs_instance_ids = false;
};

// Looks for what would stop a run later: missing archives, pictures without
// labels, files that are damaged, of the wrong size, colour type or bit depth,
// labels outside the table. Takes a fraction of a second with the defaults.
//
// Returns OK, or one error that lists the problems of both splits, a line each
// with the file and the way out.
absl::Status CheckCityscapes(const DataConfig& config,
                             const CityscapesCheckOptions& options = {});

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_CHECK_CITYSCAPES_H_
