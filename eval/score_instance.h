#ifndef MASK2FORMER_EVAL_SCORE_INSTANCE_H_
#define MASK2FORMER_EVAL_SCORE_INSTANCE_H_

#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "mask2former/eval/instance_metrics.h"
#include "mask2former/eval/text_color.h"

namespace mask2former {

struct ScoreInstanceOptions {
  // Folder of a split, with a folder for each city.
  std::string ground_truth;
  // Folder with one <city>_<sequence>_<frame>*.txt per picture, at any depth,
  // in the format of ReadInstancePredictions().
  std::string predictions;
  int threads = 0;     // Pictures at a time; 0: one per core.
  bool quiet = false;  // Write nothing to `console`.
  TextColor color = TextColor::kOff;
};

// Scores instances on disk as the official program does, and writes a count of
// pictures as it goes and the official table to `console`. One mask per thread
// is in memory.
//
// Returns the errors of FindPredictions(), or InvalidArgument that lists the
// pictures that cannot be scored: text files and masks that are damaged or
// missing, masks of another size, ground truth with instances of no class.
absl::StatusOr<InstanceMetrics> ScoreInstance(
    const ScoreInstanceOptions& options, std::ostream& console);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_SCORE_INSTANCE_H_
