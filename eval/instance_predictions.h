#ifndef MASK2FORMER_EVAL_INSTANCE_PREDICTIONS_H_
#define MASK2FORMER_EVAL_INSTANCE_PREDICTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mask2former {

// A line of the text file of a picture.
struct InstanceLine {
  std::string mask;  // Path of a PNG, not 0 inside.
  int label_id;
  double score;
};

// Reads the text file of a picture in the format of the instance-level
// benchmark: a line "<mask> <label id> <score>" per instance, single blanks,
// masks relative to the text file. Of lines with the same mask, the last
// counts. Empty if there is none.
//
//   root  folder of all predictions, which masks may not leave
//
// Returns InvalidArgument that names file, line and field: not three fields, an
// absolute path or one that leaves `root`, an unknown label id, a score that is
// no finite number. Does not look at the masks.
absl::StatusOr<std::vector<InstanceLine>> ReadInstancePredictions(
    const std::string& path, const std::string& root);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_INSTANCE_PREDICTIONS_H_
