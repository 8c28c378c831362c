#ifndef MASK2FORMER_TRANSFORMER_DECODER_DECODER_LAYER_H_
#define MASK2FORMER_TRANSFORMER_DECODER_DECODER_LAYER_H_

// The three sublayers of a decoder layer. Each adds something to the queries
// and normalises: x = norm(x + f(x)), or with pre_norm x = x + f(norm(x)).
// Epsilon of the norms is 1e-5.

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "mask2former/transformer_decoder/multihead_attention.h"

namespace mask2former {

struct DecoderLayerOptions {
  int64_t channels = 256;  // C, a multiple of num_heads.
  int64_t num_heads = 8;   // M
  int64_t feedforward_channels = 2048;
  double dropout = 0;  // In training mode; [0, 1).
  bool pre_norm = false;
};

// Queries attend to the cells of a map. Parameters: multihead_attn, norm.
class CrossAttentionLayer final : public torch::nn::Module {
 public:
  explicit CrossAttentionLayer(const DecoderLayerOptions& options);

  //   x            [B, Q, C]     the queries' contents
  //   x_positions  [B, Q, C]     added to the contents to ask with
  //   keys         [B, S, C]     the cells' contents and positions
  //   values       [B, S, C]     the cells' contents
  //   attendable   [B, 1, Q, S]  bool, see AttendableCells()
  //   returns      [B, Q, C]
  torch::Tensor forward(const torch::Tensor& x,
                        const torch::Tensor& x_positions,
                        const torch::Tensor& keys, const torch::Tensor& values,
                        const torch::Tensor& attendable);

 private:
  const DecoderLayerOptions options_;
  std::shared_ptr<MultiheadAttention> attention_;
  torch::nn::LayerNorm norm_{nullptr};
};

// Queries attend to each other. Parameters: self_attn, norm.
class SelfAttentionLayer final : public torch::nn::Module {
 public:
  explicit SelfAttentionLayer(const DecoderLayerOptions& options);

  // `x` and `x_positions` as above; returns [B, Q, C].
  torch::Tensor forward(const torch::Tensor& x,
                        const torch::Tensor& x_positions);

 private:
  const DecoderLayerOptions options_;
  std::shared_ptr<MultiheadAttention> attention_;
  torch::nn::LayerNorm norm_{nullptr};
};

// linear2(relu(linear1(x))) for each query. Parameters: linear1, linear2, norm.
class FeedforwardLayer final : public torch::nn::Module {
 public:
  explicit FeedforwardLayer(const DecoderLayerOptions& options);

  // [B, Q, C] -> [B, Q, C]
  torch::Tensor forward(const torch::Tensor& x);

 private:
  const DecoderLayerOptions options_;
  torch::nn::Linear linear1_{nullptr}, linear2_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRANSFORMER_DECODER_DECODER_LAYER_H_
