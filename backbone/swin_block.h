#ifndef MASK2FORMER_BACKBONE_SWIN_BLOCK_H_
#define MASK2FORMER_BACKBONE_SWIN_BLOCK_H_

#include <torch/nn/module.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "mask2former/backbone/window_attention.h"

namespace mask2former {

struct SwinBlockOptions {
  WindowAttentionOptions attention;
  int64_t feedforward_channels = 0;
  // In training, with this probability (below 1) a branch is left out for an
  // image; kept branches count 1 / (1 - drop_path).
  double drop_path = 0;
  bool checkpoint_activations = false;  // See checkpoint_activations.h.
};

// A pre-norm transformer block: window attention, then two linear maps around a
// GELU, each added to its input.
//
// Parameters: norm1, attn, norm2, mlp.fc1, mlp.fc2.
//
// Source: Liu et al., "Swin Transformer", ICCV 2021, equation 3; Huang et al.,
// "Deep Networks with Stochastic Depth", ECCV 2016.
class SwinBlock final : public torch::nn::Module {
 public:
  explicit SwinBlock(const SwinBlockOptions& options);

  // [B, H, W, C] -> [B, H, W, C]
  //
  // Training draws from LibTorch's default generator.
  torch::Tensor forward(const torch::Tensor& x);

 private:
  // What a branch counts for each image, [B, 1, 1, 1]. Undefined: 1.
  torch::Tensor DrawBranchWeights(const torch::Tensor& x) const;
  torch::Tensor Compute(const torch::Tensor& x,
                        const torch::Tensor& attention_weights,
                        const torch::Tensor& feedforward_weights);

  const SwinBlockOptions options_;
  torch::nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  std::shared_ptr<WindowAttention> attention_;
  torch::nn::Linear linear1_{nullptr}, linear2_{nullptr};
};

}  // namespace mask2former

#endif  // MASK2FORMER_BACKBONE_SWIN_BLOCK_H_
