#ifndef MASK2FORMER_TRANSFORMER_DECODER_MASKED_ATTENTION_DECODER_H_
#define MASK2FORMER_TRANSFORMER_DECODER_MASKED_ATTENTION_DECODER_H_

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/embedding.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/transformer_decoder/prediction_head.h"
#include "mask2former/transformer_decoder/transformer_decoder.h"
#include "mask2former/transformer_decoder/transformer_decoder_config.pb.h"

namespace mask2former {

// Learned queries that in each layer attend to the cells of one level inside
// the mask they predicted so far, then to each other, then pass a feedforward
// network. Layers take the levels in turn, strides 32, 16, 8, 32, ..
//
// Differs between forward() and PredictFinal(): the latter makes intermediate
// masks at the size of the level that they are for, from mask features shrunk
// once, instead of shrinking full masks. Shrinking is linear, so the two are
// equal but for rounding.
//
// Parameters are named transformer_{cross_attention, self_attention,
// ffn}_layers.{layer}, decoder_norm, query_feat, query_embed, level_embed,
// class_embed, mask_embed and, if in_channels is not C, input_proj.{level}.
// They start from: attention and feedforward weights Xavier uniform, attention
// biases 0, queries and level embeddings N(0, 1), input projections
// U(+-sqrt(3 / fan_in)) with bias 0, the rest LibTorch's default.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, section 3.2.
class MaskedAttentionDecoder final : public TransformerDecoder {
 public:
  // Arguments as BuildTransformerDecoder() takes them.
  //
  // Returns InvalidArgument if one is out of range.
  static absl::StatusOr<std::shared_ptr<MaskedAttentionDecoder>> Create(
      const MaskedAttentionDecoderConfig& config, int64_t in_channels,
      int64_t mask_channels, int64_t num_classes);

  std::vector<MaskPrediction> forward(
      const std::vector<torch::Tensor>& levels,
      const torch::Tensor& mask_features) override;
  MaskPrediction PredictFinal(const std::vector<torch::Tensor>& levels,
                              const torch::Tensor& mask_features) override;

  int64_t num_queries() const override { return config_.num_queries(); }
  int64_t num_classes() const override { return num_classes_; }
  int64_t num_predictions() const override { return config_.num_layers() + 1; }

 private:
  // One level as attention reads it, [B, H W, C] each.
  struct Memory {
    torch::Tensor keys, values;
    int64_t height = 0, width = 0;
  };

  MaskedAttentionDecoder(const MaskedAttentionDecoderConfig& config,
                         int64_t in_channels, int64_t mask_channels,
                         int64_t num_classes);

  void CheckInputs(const std::vector<torch::Tensor>& levels,
                   const torch::Tensor& mask_features) const;
  Memory MakeMemory(const torch::Tensor& level, int64_t index);
  // Layer `index`: [B, Q, C] -> [B, Q, C].
  torch::Tensor RunLayer(int64_t index, const torch::Tensor& x,
                         const torch::Tensor& x_positions, const Memory& memory,
                         const torch::Tensor& blocked);

  const MaskedAttentionDecoderConfig config_;
  const int64_t in_channels_, mask_channels_, num_classes_;

  torch::nn::ModuleList cross_attention_, self_attention_, feedforward_;
  std::optional<PredictionHead> head_;  // Registers itself in its turn.
  torch::nn::Embedding query_contents_{nullptr}, query_positions_{nullptr};
  torch::nn::Embedding level_embedding_{nullptr};
  torch::nn::ModuleList input_projections_;  // Empty where the channels fit.
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRANSFORMER_DECODER_MASKED_ATTENTION_DECODER_H_
