#ifndef MASK2FORMER_EVAL_EVALUATOR_H_
#define MASK2FORMER_EVAL_EVALUATOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/eval/eval_config.pb.h"
#include "mask2former/eval/evaluation.h"
#include "mask2former/model/model_config.pb.h"

namespace mask2former {

class Segmentor;

// Called after every picture.
struct EvaluationProgress {
  int64_t done = 0;
  int64_t total = 0;
  double seconds = 0;      // Since the start.
  double eta_seconds = 0;  // Until the end, from the speed so far.
};

struct EvaluatorOptions {
  EvalConfig eval;
  DataConfig::LabelSource label_source = DataConfig::LABEL_IDS;
  InputConfig input;          // The test sizes of it.
  InferenceConfig inference;  // As in the model's settings.

  // Folder that gets the strips, "{name}.png" of the semantic task,
  // "{name}_{task}.png" of the others; made if missing. Empty: strips stay in
  // memory.
  std::string pictures_dir;
  // Folder that gets what was predicted, in the benchmarks' formats, see
  // BuildTaskEvaluations(). Empty: none.
  std::string predictions_dir;
  // false: labels are not read, there are no scores. For the test split.
  bool score = true;
  // So many of the worst pictures of each task are drawn.
  size_t num_worst = 0;

  // An error stops the evaluation, which returns it. May be empty.
  std::function<absl::Status(const EvaluationProgress&)> progress;
};

// Segments each picture, one at a time and as large as it is, and scores the
// results of the tasks that options.inference switches on against the ground
// truth as the Cityscapes programs do. Pictures are read ahead by other
// threads. The model is in evaluation mode meanwhile and in its former mode
// afterwards; no gradients are recorded.
//
//   frames   at least one; if options.score, each needs its label image of
//            options.label_source for the semantic task and its instanceIds
//            image for the others. For the semantic task alone a missing
//            instanceIds image leaves the nIoU of the whole set NaN, which is
//            warned of.
//
// With options.eval.tta enabled, only the semantic task is done, see
// PredictSemanticAugmented().
//
// Independent of options.eval.prefetch and of timing.
//
// Returns the reader's error for a picture that cannot be read, Internal with
// the picture's name for an error of the model, InvalidArgument for settings
// out of range, for models whose classes are not those of Cityscapes, and for
// ground truth of another size than its picture.
//
// Source: spec of the official test loop: batches of one, whole pictures.
absl::StatusOr<Evaluation> Evaluate(absl::Span<const CityscapesFrame> frames,
                                    const EvaluatorOptions& options,
                                    Segmentor& segmentor);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_EVALUATOR_H_
