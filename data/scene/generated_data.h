#ifndef MASK2FORMER_DATA_SCENE_GENERATED_DATA_H_
#define MASK2FORMER_DATA_SCENE_GENERATED_DATA_H_

#include "absl/status/status.h"
#include "mask2former/data/data_config.pb.h"

namespace mask2former {

// Draws the data set that config.generated describes into config.root, unless
// it is there already; tells of its progress in the log. Does nothing without
// config.generated.
//
// Returns as GenerateCityscapes().
absl::Status EnsureGeneratedData(const DataConfig& config);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_GENERATED_DATA_H_
