#ifndef MASK2FORMER_EVAL_EVALUATION_H_
#define MASK2FORMER_EVAL_EVALUATION_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mask2former/eval/cityscapes_metrics.h"
#include "mask2former/eval/generic_metrics.h"
#include "mask2former/eval/instance_metrics.h"
#include "mask2former/eval/own_classes_report.h"
#include "mask2former/eval/panoptic_metrics.h"

namespace mask2former {

// Seconds per picture of batches of one. The first min(5, n - 1) pictures of n
// are left out, for caches and clocks to warm up.
struct EvaluationSpeed {
  int64_t images = 0;  // Counted; 0 if nothing was.
  // Picture on the CPU to results on the CPU: normalisation, network,
  // upsampling, argmax.
  double compute_seconds = 0;
  // Also waiting for pictures to be read, scoring, drawing and writing.
  double total_seconds = 0;
};

// Picture, ground truth and prediction side by side.
struct EvaluationPicture {
  std::string name;  // {city}_{seq}_{frame}, of a task but semantic _{task}.
  std::string path;  // Empty without pictures_dir.
  cv::Mat strip;     // CV_8UC3, R, G, B.
};

// One of the pictures that a task did worst.
struct WorstPicture {
  std::string task;
  std::string name;  // {city}_{seq}_{frame}
  double score = 0;  // Of this picture alone, a fraction; see TaskEvaluation.
  cv::Mat strip;     // As above, smaller.
};

struct SemanticResult {
  CityscapesMetrics metrics;
  CityscapesScores scores;  // metrics.Compute()
  GenericScores generic;    // Of the same pixels, by the other definition.
};

// What an evaluation found; of tasks that were neither switched on nor scored,
// nothing.
struct Evaluation {
  std::optional<SemanticResult> semantic;
  std::optional<PanopticScores> panoptic;
  std::optional<InstanceScores> instance;
  // Of data.folder, instead of these.
  std::optional<OwnClassesResult> own_classes;
  // Whether predictions are means over sizes and mirror images: these scores
  // are no one's but those of the same sizes.
  bool test_time_augmentation = false;
  std::vector<EvaluationPicture> pictures;
  // Task by task in the order semantic, panoptic, instance; the worst first.
  std::vector<WorstPicture> worst;
  EvaluationSpeed speed;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_EVALUATION_H_
