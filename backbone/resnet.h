#ifndef MASK2FORMER_BACKBONE_RESNET_H_
#define MASK2FORMER_BACKBONE_RESNET_H_

#include <torch/nn/modules/container/modulelist.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/backbone/backbone.h"
#include "mask2former/backbone/backbone_config.pb.h"
#include "mask2former/common/layers/conv_norm.h"

namespace mask2former {

// A residual network: a 7x7 convolution and a max-pool, then four stages of
// residual blocks, whose outputs (strides 4, 8, 16, 32) make the pyramid.
//
// A bottleneck strides in its 3x3 convolution. Convolutions start from
// N(0, 2 / fan_out), norms from scale 1 and shift 0.
//
// Parameters are named stem.conv1 and res{2..5}.{block}.{shortcut, conv1,
// conv2, conv3}, each with weight and norm.{weight, bias, ..}.
//
// Without gradients, in evaluation mode, each convolution runs with its norm
// folded in (see ConvNorm), in channels-last order on the CPU.
//
// Source: He et al., "Deep Residual Learning for Image Recognition", CVPR 2016,
// table 1.
// Differs: the stride of a bottleneck is in the 3x3 convolution, as in the
// published ImageNet weights, not in the first 1x1.
class ResNet final : public Backbone {
 public:
  // Returns InvalidArgument if `config` is out of range.
  static absl::StatusOr<std::shared_ptr<ResNet>> Create(
      const ResNetConfig& config);

  FeaturePyramid forward(const torch::Tensor& images) override;
  const FeaturePyramidSpec& pyramid() const override { return pyramid_; }

  // The first part of forward(), up to and with the max-pool:
  // [B, 3, H, W] -> [B, width, H / 4, W / 4].
  torch::Tensor ForwardStem(const torch::Tensor& images);

 private:
  explicit ResNet(const ResNetConfig& config);

  std::shared_ptr<ConvNorm> stem_;
  std::vector<torch::nn::ModuleList> stages_;
  FeaturePyramidSpec pyramid_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_BACKBONE_RESNET_H_
