#ifndef MASK2FORMER_PIXEL_DECODER_DEFORMABLE_ENCODER_H_
#define MASK2FORMER_PIXEL_DECODER_DEFORMABLE_ENCODER_H_

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "mask2former/pixel_decoder/ms_deform_attn.h"

namespace mask2former {

class DeformableEncoderLayer;

struct DeformableEncoderOptions {
  MsDeformAttnOptions attention;
  int64_t num_layers = 6;
  int64_t feedforward_channels = 1024;
  double dropout = 0;  // Probability of a zero, in [0, 1). Training only.
};

// A post-norm transformer encoder in which the pixels of all levels are the
// queries, and each attends to P points around its own place in every level.
//
// Position and level embeddings are part of the queries only, not of what is
// read. Starts with Xavier's weights; the feedforward biases are drawn once and
// the same in all layers, as published training runs start.
//
// Parameters: level_embed [L, C]; encoder.layers.I.self_attn
// (ms_deform_attn.h), norm1, linear1, linear2, norm2.
//
// Source: Zhu et al., "Deformable DETR", ICLR 2021, sections 4.1 and A.4.
class DeformableEncoder final : public torch::nn::Module {
 public:
  // Throws c10::Error if a size is not positive.
  explicit DeformableEncoder(const DeformableEncoderOptions& options);

  //   levels     L maps [B, C, H_l, W_l], coarse to fine
  //   positions  L maps [B or 1, C, H_l, W_l], their position embeddings
  //   returns    L maps shaped as `levels`, with neighbouring channels (not
  //              columns) next to each other in memory
  std::vector<torch::Tensor> forward(
      const std::vector<torch::Tensor>& levels,
      const std::vector<torch::Tensor>& positions);

 private:
  const DeformableEncoderOptions options_;
  torch::Tensor level_embedding_;  // [L, C]
  std::vector<std::shared_ptr<DeformableEncoderLayer>> layers_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_PIXEL_DECODER_DEFORMABLE_ENCODER_H_
