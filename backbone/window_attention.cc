#include "mask2former/backbone/window_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>

#include "mask2former/backbone/ops/window_attention.h"
#include "mask2former/backbone/ops/window_attention_composed.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former {

torch::Tensor RelativePositionIndex(int64_t window) {
  const torch::Tensor position = at::arange(window * window, torch::kLong);
  const torch::Tensor y = position.floor_divide(window);
  const torch::Tensor x = position.remainder(window);
  const torch::Tensor dy = y.unsqueeze(1) - y.unsqueeze(0) + (window - 1);
  const torch::Tensor dx = x.unsqueeze(1) - x.unsqueeze(0) + (window - 1);
  return dy * (2 * window - 1) + dx;
}

WindowAttention::WindowAttention(const WindowAttentionOptions& options)
    : options_(options) {
  TORCH_CHECK(options.num_heads > 0 && options.channels > 0 &&
                  options.channels % options.num_heads == 0,
              "channels (", options.channels,
              ") must be a positive multiple of num_heads (", options.num_heads,
              ")");
  TORCH_CHECK(options.window > 0 && options.shift >= 0 &&
                  options.shift < options.window,
              "shift (", options.shift, ") must be in 0 .. window - 1, window ",
              options.window);
  const int64_t ways = 2 * options.window - 1;
  // The published cut at -2 and 2 is a hundred deviations away.
  table_ = register_parameter(
      "relative_position_bias_table",
      at::empty({ways * ways, options.num_heads}).normal_(0, 0.02));
  index_ = register_buffer("relative_position_index",
                           RelativePositionIndex(options.window));
  qkv_ = register_module(
      "qkv", torch::nn::Linear(options.channels, 3 * options.channels));
  proj_ = register_module(
      "proj", torch::nn::Linear(options.channels, options.channels));
}

torch::Tensor WindowAttention::forward(const torch::Tensor& x) {
  CheckShape(x, "x", {kAny, kAny, kAny, options_.channels});
  const int64_t positions = options_.window * options_.window;
  const torch::Tensor qkv = qkv_->forward(x);
  // to() with a dtype converts buffers of integers, too.
  const torch::Tensor index =
      index_.scalar_type() == torch::kLong
          ? index_
          : RelativePositionIndex(options_.window).to(table_.device());
  const torch::Tensor bias =
      table_.index_select(0, index.view(-1))
          .view({positions, positions, options_.num_heads})
          .permute({2, 0, 1});
  // The kernel keeps no scores, and to compute them once more for the backward
  // pass takes longer than it saves. Decided by the mode, not by gradients, so
  // that a checkpointed forward pass gives the same numbers as its repetition.
  const auto attend = is_training() && x.is_cpu() ? ops::ComposedWindowAttention
                                                  : ops::WindowAttention;
  // Under autocast the linear map chooses the dtype.
  return proj_->forward(attend(qkv, qkv_->bias.to(qkv.scalar_type()),
                               bias.to(qkv.scalar_type()), options_.window,
                               options_.shift));
}

}  // namespace mask2former
