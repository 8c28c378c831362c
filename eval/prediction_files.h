#ifndef MASK2FORMER_EVAL_PREDICTION_FILES_H_
#define MASK2FORMER_EVAL_PREDICTION_FILES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace mask2former {

// The files of one image of a split.
struct PredictionFiles {
  std::string name;        // "frankfurt_000000_000294"
  std::string labels;      // .../frankfurt_000000_000294_gtFine_labelIds.png
  std::string instances;   // .../frankfurt_000000_000294_gtFine_instanceIds.png
  std::string prediction;  // .../frankfurt_000000_000294*.png, or *.txt
};

enum class PredictionKind {
  kLabels,     // One PNG per image, searched for each *_gtFine_labelIds.png.
  kInstances,  // One text file, for each *_gtFine_instanceIds.png; `labels`
               // stays empty.
};

// Finds all `ground_truth`/*/*_gtFine_labelIds.png, in the order of their
// paths, and for each the one <city>_<sequence>_<frame>*.png in `predictions`
// or a folder below it; for instances *_gtFine_instanceIds.png and *.txt. This
// is the official program's search; links to
// folders are not followed, as there.
//
//   ground_truth  for instance /data/cityscapes/gtFine/val
//
// Returns NotFound or InvalidArgument that lists the images without
// prediction, with several, and without instance image, and says what is there
// instead.
absl::StatusOr<std::vector<PredictionFiles>> FindPredictions(
    const std::string& ground_truth, const std::string& predictions,
    PredictionKind kind = PredictionKind::kLabels);

// Finds all `ground_truth`/*/*_gtFine_instanceIds.png, in the order of their
// paths: `name` and `instances` of each. Returns NotFound if there is none.
absl::StatusOr<std::vector<PredictionFiles>> FindInstanceImages(
    const std::string& ground_truth);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PREDICTION_FILES_H_
