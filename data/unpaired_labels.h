#ifndef MASK2FORMER_DATA_UNPAIRED_LABELS_H_
#define MASK2FORMER_DATA_UNPAIRED_LABELS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/data_config.pb.h"

namespace mask2former {

// Labels of a split of Cityscapes ("*_gtFine_labelIds.png" for LABEL_IDS), in
// folders or archives, that are not those of its pictures `frames`: a line each
// that names the label, the picture and the way out. The other way round is
// FindMissingLabels().
//
// Returns as CityscapesFolder() and ListDataFolder().
absl::StatusOr<std::vector<std::string>> FindLabelsWithoutPicture(
    absl::string_view root, absl::string_view split,
    const std::vector<CityscapesFrame>& frames, DataConfig::LabelSource source);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_UNPAIRED_LABELS_H_
