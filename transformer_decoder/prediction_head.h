#ifndef MASK2FORMER_TRANSFORMER_DECODER_PREDICTION_HEAD_H_
#define MASK2FORMER_TRANSFORMER_DECODER_PREDICTION_HEAD_H_

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "mask2former/common/layers/mlp.h"
#include "mask2former/common/mask_prediction.h"

namespace mask2former {

struct PredictionHeadOptions {
  int64_t channels = 256;       // C
  int64_t mask_channels = 256;  // E
  int64_t num_classes = 0;      // K, without "no object".
};

// Reads a class and a mask off each query: normalises it, maps it to K + 1
// logits, and to a vector of E channels whose dot products with the mask
// features are the mask's logits.
//
// Not a module: published weights have its parts beside the layers, so it
// registers decoder_norm, class_embed and mask_embed in its owner.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, section 3.1.
class PredictionHead {
 public:
  PredictionHead(torch::nn::Module& owner,
                 const PredictionHeadOptions& options);

  //   x              [B, Q, C]
  //   mask_features  [B, E, H, W]
  MaskPrediction Predict(const torch::Tensor& x,
                         const torch::Tensor& mask_features);

  // Predict() without the classes: [B, Q, H, W].
  torch::Tensor PredictMasks(const torch::Tensor& x,
                             const torch::Tensor& mask_features);

 private:
  torch::nn::LayerNorm norm_;
  torch::nn::Linear class_;
  std::shared_ptr<Mlp> mask_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRANSFORMER_DECODER_PREDICTION_HEAD_H_
