#ifndef MASK2FORMER_DATA_OFFICIAL_SPLITS_H_
#define MASK2FORMER_DATA_OFFICIAL_SPLITS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "mask2former/data/cityscapes.h"

namespace mask2former {

// A split of Cityscapes with fine labels.
struct OfficialSplit {
  absl::string_view name;
  int64_t pictures;
  std::vector<absl::string_view> cities;
};

// train, val and test.
absl::Span<const OfficialSplit> OfficialSplits();

// The official split that `frames`, those of the split `name`, are all or part
// of: any of them is of one of its cities. Null for all others, such as drawn
// data.
const OfficialSplit* FindOfficialSplit(
    absl::string_view name, const std::vector<CityscapesFrame>& frames);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_OFFICIAL_SPLITS_H_
