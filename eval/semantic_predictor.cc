#include "mask2former/eval/semantic_predictor.h"

#include <ATen/core/grad_mode.h>
#include <torch/nn/module.h>

#include <tuple>
#include <utility>

#include "mask2former/model/inference_settings.h"
#include "mask2former/model/segmentor.h"
#include "mask2former/model/semantic_inference.h"
#include "mask2former/model/semantic_labels.h"

namespace mask2former {
namespace {

// [H, W] uint8 of any device -> CV_8UC1
cv::Mat ToMat(const at::Tensor& labels) {
  const at::Tensor bytes = labels.cpu().contiguous();
  return cv::Mat(static_cast<int>(bytes.size(0)),
                 static_cast<int>(bytes.size(1)), CV_8UC1,
                 bytes.data_ptr<uint8_t>())
      .clone();
}

}  // namespace

EvaluationModeGuard::EvaluationModeGuard(torch::nn::Module& module) {
  for (std::shared_ptr<torch::nn::Module>& part : module.modules()) {
    const bool training = part->is_training();
    modes_.emplace_back(std::move(part), training);
  }
  module.eval();
}

EvaluationModeGuard::~EvaluationModeGuard() {
  for (const auto& [part, training] : modes_) part->train(training);
}

QueryPrediction PredictQueries(Segmentor& segmentor,
                               const InferenceConfig& config,
                               const at::Tensor& image) {
  const at::NoGradGuard no_grad;
  const PreparedImages prepared = segmentor.Prepare({image});
  return {
      segmentor.PredictFinal(prepared.images, config.shrink_mask_features()),
      prepared.sizes[0],
      {prepared.images.size(2), prepared.images.size(3)}};
}

at::Tensor ScorePixels(const QueryPrediction& prediction,
                       const InferenceConfig& config, const ImageSize& output) {
  const at::NoGradGuard no_grad;
  return SemanticInference(prediction.queries, /*index=*/0, prediction.padded,
                           prediction.image, output,
                           ResizesBeforeScores(config));
}

cv::Mat LabelsOf(const at::Tensor& scores) {
  return ToMat(std::get<1>(scores.max(0)).to(at::kByte));
}

SemanticPrediction LabelPixels(const QueryPrediction& prediction,
                               const InferenceConfig& config,
                               const ImageSize& output, bool with_scores) {
  const at::NoGradGuard no_grad;
  SemanticPrediction result = {prediction, {}, {}};
  if (with_scores) {
    result.scores = ScorePixels(prediction, config, output);
    // Not SemanticLabels(): its sums may differ in the last bit.
    result.train_ids = LabelsOf(result.scores);
  } else {
    result.train_ids = ToMat(SemanticLabels(result.queries, /*index=*/0,
                                            result.padded, result.image, output,
                                            ResizesBeforeScores(config)));
  }
  return result;
}

SemanticPrediction PredictSemantic(Segmentor& segmentor,
                                   const InferenceConfig& config,
                                   const at::Tensor& image,
                                   const ImageSize& output, bool with_scores) {
  return LabelPixels(PredictQueries(segmentor, config, image), config, output,
                     with_scores);
}

}  // namespace mask2former
