#ifndef MASK2FORMER_EVAL_EVALUATOR_H_
#define MASK2FORMER_EVAL_EVALUATOR_H_

#include <cstdint>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/data/data_config.pb.h"
#include "mask2former/eval/cityscapes_metrics.h"
#include "mask2former/eval/eval_config.pb.h"
#include "mask2former/model/model_config.pb.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {

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

  // Folder that gets the strips, "{name}.png"; made if missing. Empty: strips
  // stay in memory.
  std::string pictures_dir;
  // Folder that gets what was predicted, "{picture}_pred.png" with label ids,
  // for //eval:score and for the benchmark's server. Empty: none.
  std::string predictions_dir;
  // false: labels are not read, there are no scores. For the test split.
  bool score = true;

  // An error stops the evaluation, which returns it. May be empty.
  std::function<absl::Status(const EvaluationProgress&)> progress;
};

// Seconds per picture of batches of one. The first min(5, n - 1) pictures of n
// are left out, for caches and clocks to warm up.
struct EvaluationSpeed {
  int64_t images = 0;  // Counted; 0 if nothing was.
  // Picture on the CPU to labels on the CPU: normalisation, network,
  // upsampling, argmax.
  double compute_seconds = 0;
  // Also waiting for pictures to be read, scoring, drawing and writing.
  double total_seconds = 0;
};

struct EvaluationPicture {
  std::string name;  // {city}_{seq}_{frame}
  std::string path;  // Empty without pictures_dir.
  cv::Mat strip;     // CV_8UC3, R, G, B: picture, ground truth, prediction.
};

struct Evaluation {
  CityscapesMetrics metrics;
  CityscapesScores scores;  // metrics.Compute(); all NaN without score.
  std::vector<EvaluationPicture> pictures;
  EvaluationSpeed speed;
};

// Labels each picture, one at a time and as large as it is, and scores the
// result against the ground truth as the Cityscapes program does. Pictures are
// read ahead by other threads. The model is in evaluation mode meanwhile and in
// its former mode afterwards; no gradients are recorded.
//
//   frames   at least one; each needs its label image of options.label_source
//            if options.score. A missing instanceIds image leaves the nIoU of
//            the whole set NaN, which is warned of.
//
// Independent of options.eval.prefetch and of timing.
//
// Returns the reader's error for a picture that cannot be read, Internal with
// the picture's name for an error of the model, InvalidArgument for settings
// out of range or ground truth of another size than its picture.
//
// Source: spec of the official test loop: batches of one, whole pictures.
absl::StatusOr<Evaluation> Evaluate(absl::Span<const CityscapesFrame> frames,
                                    const EvaluatorOptions& options,
                                    Segmentor& segmentor);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_EVALUATOR_H_
