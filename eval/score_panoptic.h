#ifndef MASK2FORMER_EVAL_SCORE_PANOPTIC_H_
#define MASK2FORMER_EVAL_SCORE_PANOPTIC_H_

#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "mask2former/eval/panoptic_metrics.h"

namespace mask2former {

struct ScorePanopticOptions {
  // JSON files in COCO's panoptic format; the PNGs of X.json are in X/. The
  // ground truth may also be the folder of a split, such as
  // /data/cityscapes/gtFine/val: then it is made of the instanceIds images, and
  // nothing needs to be prepared.
  std::string ground_truth;
  std::string predictions;
  int threads = 0;     // Pictures at a time; 0: one per core.
  bool quiet = false;  // Write nothing to `console`.
};

// Scores segments on disk as the official program does, and writes a count of
// pictures as it goes and the official table to `console`. Pictures that are
// predicted but not in the ground truth are left out.
//
// Returns InvalidArgument or NotFound, which name the file and the picture, if
// predictions are missing, files are damaged, PNGs are of different size, or
// the list of segments is not that of the PNG.
absl::StatusOr<PanopticMetrics> ScorePanoptic(
    const ScorePanopticOptions& options, std::ostream& console);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_SCORE_PANOPTIC_H_
