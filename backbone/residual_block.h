#ifndef MASK2FORMER_BACKBONE_RESIDUAL_BLOCK_H_
#define MASK2FORMER_BACKBONE_RESIDUAL_BLOCK_H_

#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>

#include "mask2former/common/layers/conv_norm.h"

namespace mask2former {

struct ResidualBlockOptions {
  // A bottleneck is a 1x1, a 3x3 and a 1x1 convolution, the first two with
  // `inner_channels`; else two 3x3 convolutions, inner_channels being
  // out_channels.
  bool bottleneck = true;
  int64_t in_channels = 0;
  int64_t inner_channels = 0;
  int64_t out_channels = 0;
  int64_t stride = 1;  // Of the first 3x3 convolution.
  NormKind norm = NormKind::kBatch;
};

// relu(f(x) + shortcut(x)), where f is two or three convolutions with norms and
// the shortcut is the identity, or a strided 1x1 convolution with a norm where
// the shape changes.
class ResidualBlock final : public torch::nn::Module {
 public:
  explicit ResidualBlock(const ResidualBlockOptions& options);

  // [B, in, H, W] -> [B, out, H / stride, W / stride], sizes rounded up.
  torch::Tensor forward(const torch::Tensor& x);

 private:
  std::shared_ptr<ConvNorm> shortcut_;  // Null: the identity.
  std::shared_ptr<ConvNorm> conv1_, conv2_;
  std::shared_ptr<ConvNorm> conv3_;  // Null unless a bottleneck.
};

}  // namespace mask2former

#endif  // MASK2FORMER_BACKBONE_RESIDUAL_BLOCK_H_
