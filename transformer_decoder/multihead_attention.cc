#include "mask2former/transformer_decoder/multihead_attention.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include <optional>

#include "mask2former/common/layers/initialization.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former {

MultiheadAttention::MultiheadAttention(const MultiheadAttentionOptions& options)
    : options_(options) {
  TORCH_CHECK(options.channels > 0 && options.num_heads > 0 &&
                  options.channels % options.num_heads == 0,
              "channels (", options.channels,
              ") must be a positive multiple of num_heads (", options.num_heads,
              ")");
  const int64_t channels = options.channels;
  in_weight_ =
      register_parameter("in_proj_weight", at::empty({3 * channels, channels}));
  in_bias_ = register_parameter("in_proj_bias", at::zeros({3 * channels}));
  out_ = register_module("out_proj", torch::nn::Linear(channels, channels));
  XavierUniform(in_weight_);
  XavierUniform(out_->weight);
  const torch::NoGradGuard no_grad;
  out_->bias.zero_();
}

torch::Tensor MultiheadAttention::Project(const torch::Tensor& x,
                                          int64_t part) const {
  const int64_t channels = options_.channels;
  const torch::Tensor y =
      at::linear(x, in_weight_.narrow(0, part * channels, channels),
                 in_bias_.narrow(0, part * channels, channels));
  return y
      .view({x.size(0), x.size(1), options_.num_heads,
             channels / options_.num_heads})
      .transpose(1, 2);
}

torch::Tensor MultiheadAttention::forward(const torch::Tensor& queries,
                                          const torch::Tensor& keys,
                                          const torch::Tensor& values,
                                          const torch::Tensor& attendable) {
  CheckShape(queries, "queries", {kAny, kAny, options_.channels});
  CheckShape(keys, "keys", {queries.size(0), kAny, options_.channels});
  CheckShape(values, "values",
             {queries.size(0), keys.size(1), options_.channels});
  const torch::Tensor gathered = at::scaled_dot_product_attention(
      Project(queries, 0), Project(keys, 1), Project(values, 2),
      attendable.defined() ? std::optional<torch::Tensor>(attendable)
                           : std::nullopt,
      is_training() ? options_.dropout : 0.0);
  // [B, M, Q, D] -> [B, Q, C]
  return out_->forward(gathered.transpose(1, 2).flatten(2));
}

}  // namespace mask2former
