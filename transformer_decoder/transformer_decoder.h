// A transformer decoder turns the pixel decoder's maps into Q pairs of a class
// and a mask.

#ifndef MASK2FORMER_TRANSFORMER_DECODER_TRANSFORMER_DECODER_H_
#define MASK2FORMER_TRANSFORMER_DECODER_TRANSFORMER_DECODER_H_

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "mask2former/common/mask_prediction.h"

namespace mask2former {

class TransformerDecoder : public torch::nn::Module {
 public:
  //   levels         strides 32, 16, 8: each [B, in_channels, H/s, W/s]
  //   mask_features  [B, E, H/4, W/4]
  //   returns        num_predictions() predictions: the first is made from the
  //                  learned queries alone, the next after each layer, the last
  //                  is the result
  //
  // Throws c10::Error on any other shape.
  virtual std::vector<MaskPrediction> forward(
      const std::vector<torch::Tensor>& levels,
      const torch::Tensor& mask_features) = 0;

  // The last prediction of forward() for callers who need no other, as at
  // inference. May take shortcuts that are equal in exact arithmetic: results
  // differ from forward()'s by rounding, and where an intermediate mask is
  // within rounding of its threshold by more.
  virtual MaskPrediction PredictFinal(const std::vector<torch::Tensor>& levels,
                                      const torch::Tensor& mask_features) {
    return forward(levels, mask_features).back();
  }

  virtual int64_t num_queries() const = 0;      // Q
  virtual int64_t num_classes() const = 0;      // K
  virtual int64_t num_predictions() const = 0;  // Layers + 1.
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRANSFORMER_DECODER_TRANSFORMER_DECODER_H_
