#ifndef MASK2FORMER_TRANSFORMER_DECODER_MULTIHEAD_ATTENTION_H_
#define MASK2FORMER_TRANSFORMER_DECODER_MULTIHEAD_ATTENTION_H_

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>

namespace mask2former {

struct MultiheadAttentionOptions {
  int64_t channels = 256;  // C, a multiple of num_heads.
  int64_t num_heads = 8;   // M
  double dropout = 0;      // Of attention weights, in training mode; [0, 1).
};

// Every query gathers values, weighted by a softmax over how well their keys
// fit, in each of M slices of the channels.
//
// Parameters: in_proj_weight [3 C, C] and in_proj_bias [3 C], the maps of
// queries, keys and values one below the other, and out_proj.{weight, bias}.
// Weights start from Xavier's uniform distribution, that of in_proj_weight as
// one matrix; biases from 0.
//
// Source: Vaswani et al., "Attention Is All You Need", NeurIPS 2017, section
// 3.2.
class MultiheadAttention final : public torch::nn::Module {
 public:
  explicit MultiheadAttention(const MultiheadAttentionOptions& options);

  //   queries     [B, Q, C]
  //   keys        [B, S, C]
  //   values      [B, S, C]
  //   attendable  bool that broadcasts to [B, M, Q, S], true where a query may
  //               attend; undefined: everywhere. A query that may attend to
  //               nothing gathers zeros.
  //   returns     [B, Q, C]
  torch::Tensor forward(const torch::Tensor& queries, const torch::Tensor& keys,
                        const torch::Tensor& values,
                        const torch::Tensor& attendable = {});

 private:
  // Part 0, 1 or 2 of the input map: [B, L, C] -> [B, M, L, D].
  torch::Tensor Project(const torch::Tensor& x, int64_t part) const;

  const MultiheadAttentionOptions options_;
  torch::Tensor in_weight_, in_bias_;
  torch::nn::Linear out_{nullptr};
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRANSFORMER_DECODER_MULTIHEAD_ATTENTION_H_
