#ifndef MASK2FORMER_EVAL_SCORE_SEMANTIC_H_
#define MASK2FORMER_EVAL_SCORE_SEMANTIC_H_

#include <ostream>
#include <string>

#include "absl/status/statusor.h"
#include "mask2former/eval/cityscapes_metrics.h"
#include "mask2former/eval/confusion_matrix.h"
#include "mask2former/eval/report.h"

namespace mask2former {

struct ScoreSemanticOptions {
  std::string ground_truth;  // As FindPredictions() wants them.
  std::string predictions;
  bool holds_train_ids = false;  // Predictions are train ids 0..18, 255.
  int threads = 0;               // Images at a time; 0: one per core.
  bool quiet = false;            // Write nothing to `console`.
  TextColor color = TextColor::kOff;
};

// Scores the label images of a folder as the official program does, and writes
// what it writes to `console`: the count of images as it goes, the three
// tables. Memory does not grow with the number of images.
//
// Returns the errors of FindPredictions(), or InvalidArgument that lists the
// images that cannot be scored: damaged, of another size, with several channels
// or with values that are no label ids.
absl::StatusOr<CityscapesMetrics> ScoreSemantic(
    const ScoreSemanticOptions& options, std::ostream& console);

// Whether the predictions look like train ids taken for label ids: most pixels
// have ids that no network predicts, and none has one above 18.
bool LooksLikeTrainIds(const ConfusionMatrix& confusion);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_SCORE_SEMANTIC_H_
