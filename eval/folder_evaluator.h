#ifndef MASK2FORMER_EVAL_FOLDER_EVALUATOR_H_
#define MASK2FORMER_EVAL_FOLDER_EVALUATOR_H_

#include <cstddef>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/data/folder_dataset.h"
#include "mask2former/eval/eval_config.pb.h"
#include "mask2former/eval/evaluation.h"
#include "mask2former/eval/evaluator.h"
#include "mask2former/model/model_config.pb.h"

namespace mask2former {

class Segmentor;

struct FolderEvaluatorOptions {
  EvalConfig eval;
  InputConfig input;          // The test sizes of it.
  InferenceConfig inference;  // As in the model's settings.

  // Folder that gets the strips of the first eval.num_pictures() pictures;
  // empty: none are drawn.
  std::string pictures_dir;
  // Folder that gets a label image of each picture, 8-bit gray, 0 .. K - 1, as
  // semantic/NAME.png; empty: none.
  std::string predictions_dir;
  size_t num_worst = 0;  // So many of the worst pictures are drawn.

  // An error stops the evaluation, which returns it. May be empty.
  std::function<absl::Status(const EvaluationProgress&)> progress;
};

// Evaluate() for pictures and classes of a user's own: scores the semantic task
// and returns it as Evaluation::own_classes. The next picture is read
// meanwhile.
//
// Returns as FolderDataset::Load(); Internal with the picture's name for an
// error of the model, InvalidArgument for a model of another number of classes
// or settings out of range.
absl::StatusOr<Evaluation> EvaluateFolder(const FolderDataset& pictures,
                                          const FolderEvaluatorOptions& options,
                                          Segmentor& segmentor);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_FOLDER_EVALUATOR_H_
