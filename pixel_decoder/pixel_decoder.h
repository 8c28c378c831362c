#ifndef MASK2FORMER_PIXEL_DECODER_PIXEL_DECODER_H_
#define MASK2FORMER_PIXEL_DECODER_PIXEL_DECODER_H_

// A pixel decoder turns the backbone's pyramid into per-pixel embeddings and
// the three maps that the transformer decoder attends to.

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "mask2former/common/feature_pyramid.h"

namespace mask2former {

struct PixelDecoderOutput {
  // [B, E, H/4, W/4]. A mask is the dot product of these with a query's vector.
  torch::Tensor mask_features;

  // Coarse to fine, strides 32, 16, 8: each [B, C, H/stride, W/stride].
  std::vector<torch::Tensor> levels;
};

class PixelDecoder : public torch::nn::Module {
 public:
  // `pyramid` has strides 4, 8, 16, 32, with the channels given at
  // construction; floating point. H and W are multiples of 32.
  //
  // Throws c10::Error on any other shape.
  virtual PixelDecoderOutput forward(const FeaturePyramid& pyramid) = 0;

  virtual int64_t channels() const = 0;       // C
  virtual int64_t mask_channels() const = 0;  // E
};

}  // namespace mask2former

#endif  // MASK2FORMER_PIXEL_DECODER_PIXEL_DECODER_H_
