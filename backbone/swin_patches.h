#ifndef MASK2FORMER_BACKBONE_SWIN_PATCHES_H_
#define MASK2FORMER_BACKBONE_SWIN_PATCHES_H_

#include <torch/nn/module.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

#include <cstdint>

namespace mask2former {

// One vector per patch of 4 x 4 pixels: a linear map, then a layer norm.
// Parameters: proj, norm.
//
// Source: Liu et al., "Swin Transformer", ICCV 2021, section 3.1.
class PatchEmbedding final : public torch::nn::Module {
 public:
  explicit PatchEmbedding(int64_t channels);

  // [B, 3, H, W] -> [B, H / 4, W / 4, channels], sizes rounded up: images are
  // zero-padded right and below.
  torch::Tensor forward(const torch::Tensor& images);

 private:
  torch::nn::Conv2d proj_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};

// Half the height and width, twice the channels: the four vectors of 2 x 2
// positions one after another, column by column, then a layer norm and a linear
// map. Parameters: reduction, norm.
//
// Source: Liu et al., "Swin Transformer", ICCV 2021, section 3.1.
class PatchMerging final : public torch::nn::Module {
 public:
  explicit PatchMerging(int64_t channels);

  // [B, H, W, channels] -> [B, H / 2, W / 2, 2 channels], sizes rounded up:
  // maps are zero-padded right and below.
  torch::Tensor forward(const torch::Tensor& x);

 private:
  torch::nn::Linear reduction_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};

}  // namespace mask2former

#endif  // MASK2FORMER_BACKBONE_SWIN_PATCHES_H_
