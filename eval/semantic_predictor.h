#ifndef MASK2FORMER_EVAL_SEMANTIC_PREDICTOR_H_
#define MASK2FORMER_EVAL_SEMANTIC_PREDICTOR_H_

#include <ATen/core/Tensor.h>

#include <memory>
#include <opencv2/core/mat.hpp>
#include <utility>
#include <vector>

#include "mask2former/common/image_size.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/model/model_config.pb.h"

namespace torch::nn {
class Module;
}  // namespace torch::nn

namespace mask2former {

class Segmentor;

// Puts a module into evaluation mode and, when it goes out of scope, each of
// its submodules back into the mode it had.
class EvaluationModeGuard {
 public:
  explicit EvaluationModeGuard(torch::nn::Module& module);
  ~EvaluationModeGuard();

  EvaluationModeGuard(const EvaluationModeGuard&) = delete;
  EvaluationModeGuard& operator=(const EvaluationModeGuard&) = delete;

 private:
  // Parents before children, for train() reaches down.
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> modes_;
};

// What the queries of a model say of one picture.
struct QueryPrediction {
  MaskPrediction queries;  // Of a batch of one: before any resize.
  ImageSize image;         // As the model took it, before padding,
  ImageSize padded;        // and after.
};

// Its pixels' classes besides.
struct SemanticPrediction : QueryPrediction {
  at::Tensor scores;  // [K, height, width] float, on the model's device.
  // [height, width] CV_8UC1, train ids: the class of the highest score, the
  // lowest of them on a tie.
  cv::Mat train_ids;
};

// Runs the model on a picture. It should be in evaluation mode; no gradients
// are recorded.
//
//   image  [3, H, W] uint8, R, G, B, any size
//
// Throws c10::Error as Segmentor does.
QueryPrediction PredictQueries(Segmentor& segmentor,
                               const InferenceConfig& config,
                               const at::Tensor& image);

// The scores of every class at every pixel, [K, height, width] float, on the
// model's device.
//
//   output  the size wanted, usually that of the file that the picture was made
//           of
at::Tensor ScorePixels(const QueryPrediction& prediction,
                       const InferenceConfig& config, const ImageSize& output);

// The class of the highest of such scores, CV_8UC1; the lowest class on a tie.
cv::Mat LabelsOf(const at::Tensor& scores);

// Labels every pixel.
//
//   with_scores  costs K floats for each pixel
SemanticPrediction LabelPixels(const QueryPrediction& prediction,
                               const InferenceConfig& config,
                               const ImageSize& output,
                               bool with_scores = false);

// Both.
SemanticPrediction PredictSemantic(Segmentor& segmentor,
                                   const InferenceConfig& config,
                                   const at::Tensor& image,
                                   const ImageSize& output,
                                   bool with_scores = false);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_SEMANTIC_PREDICTOR_H_
