#ifndef MASK2FORMER_EVAL_TASK_EVALUATION_H_
#define MASK2FORMER_EVAL_TASK_EVALUATION_H_

#include <opencv2/core/mat.hpp>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/cityscapes.h"
#include "mask2former/eval/evaluation.h"
#include "mask2former/eval/picture_predictor.h"

namespace mask2former {

// A picture of a split and what the model says of it.
struct EvaluatedPicture {
  CityscapesFrame frame;
  cv::Mat image;         // [H, W] CV_8UC3, R, G, B.
  cv::Mat label_ids;     // [H, W] CV_8UC1; empty if nobody needs it.
  cv::Mat instance_ids;  // [H, W] CV_16UC1; empty if nobody needs it.
  PicturePrediction prediction;
};

struct DrawOptions {
  int panel_width = 1024;  // At most; wider pictures are made smaller.
  // Labels over the picture instead of in its place. Segments and instances
  // always are.
  bool overlay = false;
};

// What one task does with the pictures of an evaluation. One thread at a time;
// Score() and Write() may run while another thread is in Draw().
class TaskEvaluation {
 public:
  virtual ~TaskEvaluation() = default;

  // "semantic", "panoptic" or "instance": names files and folders.
  virtual absl::string_view name() const = 0;

  // Adds a picture with its ground truth, and returns how good it is alone, a
  // fraction: mean IoU, PQ or AP; NaN where undefined.
  virtual absl::StatusOr<double> Score(const EvaluatedPicture& picture) = 0;

  // Picture, ground truth (if there is one) and prediction side by side,
  // CV_8UC3 R, G, B.
  virtual absl::StatusOr<cv::Mat> Draw(const EvaluatedPicture& picture,
                                       const DrawOptions& options) const = 0;

  // Writes the prediction in the format of the task's benchmark.
  virtual absl::Status Write(const EvaluatedPicture& picture) = 0;

  // To be called once after the last picture was written.
  virtual absl::Status FinishFiles() { return absl::OkStatus(); }

  // Puts the scores of all pictures into their place.
  virtual void Report(Evaluation& evaluation) const = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_TASK_EVALUATION_H_
