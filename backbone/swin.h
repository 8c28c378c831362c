#ifndef MASK2FORMER_BACKBONE_SWIN_H_
#define MASK2FORMER_BACKBONE_SWIN_H_

#include <torch/nn/modules/normalization.h>

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/backbone/backbone.h"
#include "mask2former/backbone/backbone_config.pb.h"
#include "mask2former/backbone/swin_block.h"
#include "mask2former/backbone/swin_patches.h"

namespace mask2former {

// A transformer whose attention looks at windows of the map, which are shifted
// by half their size in every second block. Four stages with patch merging
// between them; what leaves a stage (strides 4, 8, 16, 32), through a layer
// norm of its own, makes the pyramid.
//
// Images of any size: maps are padded where patches, windows and merging need
// it (see PatchEmbedding, ops::WindowAttention(), PatchMerging). A map smaller
// than a window is shifted like any other. There is no absolute position
// embedding.
//
// Weights start with LibTorch's default, except the bias tables of the
// attention, N(0, 0.02^2).
//
// Parameters are named patch_embed.{proj, norm}, layers.{0..3}.blocks.{block}.
// {norm1, attn, norm2, mlp}, layers.{0..2}.downsample.{reduction, norm} and
// norm{0..3}.
//
// Source: Liu et al., "Swin Transformer: Hierarchical Vision Transformer using
// Shifted Windows", ICCV 2021; as Mask2Former's D2SwinTransformer uses it.
class Swin final : public Backbone {
 public:
  // Returns InvalidArgument if `config` is out of range.
  static absl::StatusOr<std::shared_ptr<Swin>> Create(const SwinConfig& config);

  FeaturePyramid forward(const torch::Tensor& images) override;
  const FeaturePyramidSpec& pyramid() const override { return pyramid_; }

 private:
  struct Stage {
    std::vector<std::shared_ptr<SwinBlock>> blocks;
    torch::nn::LayerNorm norm{nullptr};
    std::shared_ptr<PatchMerging> merging;  // None after the last stage.
  };

  explicit Swin(const SwinConfig& config);

  std::shared_ptr<PatchEmbedding> embedding_;
  std::vector<Stage> stages_;
  FeaturePyramidSpec pyramid_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_BACKBONE_SWIN_H_
