// The pieces put together: images in, pairs of class and mask out. Training,
// evaluation and the tools share it.

#ifndef MASK2FORMER_MODEL_SEGMENTOR_H_
#define MASK2FORMER_MODEL_SEGMENTOR_H_

#include <torch/nn/module.h>
#include <torch/types.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "mask2former/backbone/backbone.h"
#include "mask2former/common/image_size.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/common/mask_target.h"
#include "mask2former/pixel_decoder/pixel_decoder.h"
#include "mask2former/transformer_decoder/transformer_decoder.h"

namespace mask2former {

struct SegmentorOptions {
  std::array<float, 3> pixel_mean = {123.675f, 116.28f, 103.53f};
  std::array<float, 3> pixel_std = {58.395f, 57.12f, 57.375f};
  int64_t size_divisibility = 32;
};

// Images as the model reads them.
struct PreparedImages {
  torch::Tensor images;          // [B, 3, H, W] float, normalised, zero-padded.
  std::vector<ImageSize> sizes;  // Before padding, one per image.
};

// Backbone, pixel decoder and transformer decoder in a row.
//
// Parameters are named as in the published weights: backbone.*,
// sem_seg_head.pixel_decoder.*, sem_seg_head.predictor.*.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, section 3.
class Segmentor final : public torch::nn::Module {
 public:
  // The pieces must fit: see BuildSegmentor().
  Segmentor(const SegmentorOptions& options, std::shared_ptr<Backbone> backbone,
            std::shared_ptr<PixelDecoder> pixel_decoder,
            std::shared_ptr<TransformerDecoder> transformer_decoder);

  // Normalises, then pads right and below with 0 (the mean colour) to the
  // largest height and width of the batch, rounded up to size_divisibility.
  //
  //   images    B of [3, H_i, W_i], RGB, 0 .. 255, uint8 or float
  //   at_least  the batch is padded as if it held an image of this size, too
  //   returns   on the device of the parameters
  //
  // Throws c10::Error if there is no image or a shape is wrong.
  PreparedImages Prepare(const std::vector<torch::Tensor>& images,
                         const ImageSize& at_least = {}) const;

  //   images   [B, 3, H, W] float, from Prepare()
  //   returns  one prediction per decoder layer, from the one made of the raw
  //            queries to the final one
  std::vector<MaskPrediction> forward(const torch::Tensor& images);

  // The final prediction alone. `shrink_mask_features` as in InferenceConfig.
  MaskPrediction PredictFinal(const torch::Tensor& images,
                              bool shrink_mask_features);

  const std::shared_ptr<Backbone>& backbone() const { return backbone_; }
  const std::shared_ptr<PixelDecoder>& pixel_decoder() const {
    return pixel_decoder_;
  }
  const std::shared_ptr<TransformerDecoder>& transformer_decoder() const {
    return transformer_decoder_;
  }

  // Where the parameters are.
  torch::Device device() const;

 private:
  const SegmentorOptions options_;
  std::shared_ptr<Backbone> backbone_;
  std::shared_ptr<PixelDecoder> pixel_decoder_;
  std::shared_ptr<TransformerDecoder> transformer_decoder_;
};

// Pads masks right and below with "not in the mask" to `height` x `width`.
//
// Throws c10::Error if a mask is larger than that.
std::vector<MaskTarget> PadTargets(const std::vector<MaskTarget>& targets,
                                   int64_t height, int64_t width);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_SEGMENTOR_H_
