#include "mask2former/eval/testing/color_segmentor.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/zeros.h>

#include <opencv2/core.hpp>
#include <vector>

#include "mask2former/backbone/backbone.h"
#include "mask2former/common/feature_pyramid.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/model/segmentor.h"
#include "mask2former/pixel_decoder/pixel_decoder.h"
#include "mask2former/transformer_decoder/transformer_decoder.h"

namespace mask2former {
namespace {

class QuarterSize final : public Backbone {
 public:
  QuarterSize() { register_parameter("unused", at::zeros({1})); }

  FeaturePyramid forward(const torch::Tensor& images) override {
    TORCH_CHECK(images[0][0][0][0].item<float>() < 254.5,
                "this picture makes the model fail");
    return {at::avg_pool2d(images, 4)};
  }
  const FeaturePyramidSpec& pyramid() const override { return spec_; }

 private:
  const FeaturePyramidSpec spec_ = {{3, 4}};
};

class PassOn final : public PixelDecoder {
 public:
  PixelDecoderOutput forward(const FeaturePyramid& pyramid) override {
    return {pyramid[0], {}};
  }
  int64_t channels() const override { return 3; }
  int64_t mask_channels() const override { return 3; }
};

class QueryPerColor final : public TransformerDecoder {
 public:
  explicit QueryPerColor(int64_t num_classes) : num_classes_(num_classes) {}

  std::vector<MaskPrediction> forward(
      const std::vector<torch::Tensor>& levels,
      const torch::Tensor& mask_features) override {
    return {PredictFinal(levels, mask_features)};
  }

  MaskPrediction PredictFinal(const std::vector<torch::Tensor>& levels,
                              const torch::Tensor& mask_features) override {
    const at::Tensor red = mask_features.select(1, 0).unsqueeze(1);
    const at::Tensor colors =
        at::arange(num_classes_, red.options()).view({1, -1, 1, 1}) * 10;
    MaskPrediction prediction;
    prediction.class_logits =
        20 * at::eye(num_classes_, num_classes_ + 1, red.options())
                 .unsqueeze(0)
                 .expand({red.size(0), -1, -1});
    prediction.mask_logits = (20 - 8 * (red - colors).abs()).clamp(-20, 20);
    return prediction;
  }

  int64_t num_queries() const override { return num_classes_; }
  int64_t num_classes() const override { return num_classes_; }
  int64_t num_predictions() const override { return 1; }

 private:
  const int64_t num_classes_;
};

}  // namespace

std::shared_ptr<Segmentor> MakeColorSegmentor(int64_t num_classes) {
  SegmentorOptions options;
  options.pixel_mean = {0, 0, 0};
  options.pixel_std = {1, 1, 1};
  return std::make_shared<Segmentor>(
      options, std::make_shared<QuarterSize>(), std::make_shared<PassOn>(),
      std::make_shared<QueryPerColor>(num_classes));
}

cv::Mat PaintClasses(const cv::Mat& train_ids) {
  cv::Mat red;
  train_ids.convertTo(red, CV_8UC1, 10);
  const cv::Mat dark = cv::Mat::zeros(train_ids.size(), CV_8UC1);
  cv::Mat image;
  cv::merge(std::vector<cv::Mat>{red, dark, dark}, image);
  return image;
}

}  // namespace mask2former
