#ifndef MASK2FORMER_COMMON_LAYERS_CONV_NORM_H_
#define MASK2FORMER_COMMON_LAYERS_CONV_NORM_H_

#include <torch/nn/module.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "mask2former/common/layers/batch_norm.h"
#include "mask2former/common/layers/folded_conv.h"

namespace mask2former {

enum class NormKind {
  kNone,
  kBatch,
  kSynchronizedBatch,
  kFrozenBatch,
  kGroup,
};

struct ConvNormOptions {
  int64_t in_channels = 0;
  int64_t out_channels = 0;
  int64_t kernel_size = 1;
  int64_t stride = 1;
  int64_t padding = 0;  // Zeros on every side.
  bool bias = false;    // Of the convolution.
  NormKind norm = NormKind::kNone;
  int64_t num_groups = 32;  // Of a group norm; divides out_channels.
  bool relu = false;        // At the end.
};

// A convolution, then a norm, then a ReLU, as far as the options ask for them.
//
// Parameters: weight [out, in, k, k], bias [out] if asked, and the norm's under
// "norm.". The weight and the bias start with LibTorch's default; callers
// redraw them (initialization.h). Epsilon of the norms is 1e-5.
//
// Without gradients and where the batch norm, if any, has constant statistics
// (evaluation mode, or frozen), the norm's scale is folded into the weights and
// the whole is one FoldedConv: equal up to rounding, several passes over memory
// fewer. The folded weights are kept until a parameter changes: in-place
// operations, train(), eval() and to() are noticed; a write through a raw data
// pointer needs an eval() after it. Several threads may call forward() at a
// time in this mode.
class ConvNorm final : public torch::nn::Module {
 public:
  // Throws c10::Error if the options are out of range.
  explicit ConvNorm(const ConvNormOptions& options);

  // [B, in, H, W] -> [B, out, H', W']. If `residual` (of the result's shape) is
  // defined, it is added between norm and ReLU.
  torch::Tensor forward(const torch::Tensor& x,
                        const torch::Tensor& residual = {});

  void train(bool on = true) override;

  const ConvNormOptions& options() const { return options_; }
  const torch::Tensor& weight() const { return weight_; }
  const torch::Tensor& bias() const { return bias_; }  // Undefined if none.

 private:
  // Where a tensor lies and how often it was written.
  using Stamp = std::pair<const void*, int64_t>;

  // The convolution with the norm folded in, in `dtype`, made anew if the
  // parameters have changed.
  std::shared_ptr<const FoldedConv> Folded(torch::Dtype dtype);

  const ConvNormOptions options_;
  torch::Tensor weight_, bias_;
  std::shared_ptr<BatchNorm> batch_norm_;  // One of these at most.
  torch::nn::GroupNorm group_norm_{nullptr};

  std::mutex mutex_;  // Guards what follows.
  std::shared_ptr<const FoldedConv> folded_;
  torch::Dtype folded_dtype_ = torch::kFloat;
  std::vector<Stamp> folded_stamps_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_LAYERS_CONV_NORM_H_
