#ifndef MASK2FORMER_PIXEL_DECODER_MS_DEFORM_ATTN_PIXEL_DECODER_H_
#define MASK2FORMER_PIXEL_DECODER_MS_DEFORM_ATTN_PIXEL_DECODER_H_

#include <torch/nn/modules/container/modulelist.h>
#include <torch/nn/modules/conv.h>

#include <array>
#include <map>
#include <memory>
#include <mutex>

#include "absl/status/statusor.h"
#include "mask2former/common/feature_pyramid.h"
#include "mask2former/common/layers/conv_norm.h"
#include "mask2former/pixel_decoder/deformable_encoder.h"
#include "mask2former/pixel_decoder/pixel_decoder.h"
#include "mask2former/pixel_decoder/pixel_decoder_config.pb.h"

namespace mask2former {

// Deformable self-attention over strides 32, 16 and 8 together, then one FPN
// step up to stride 4.
//
// Computes in its parameters' dtype (float32 unless converted) even under
// autocast: the offsets lose precision otherwise. Inputs are converted.
//
// Parameters are named as in the published weights: input_proj, transformer,
// adapter_1, layer_1, mask_features.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, sections 3.2.2 and 4.1.
class MsDeformAttnPixelDecoder final : public PixelDecoder {
 public:
  // `input` lists the levels of the pyramids to come, fine to coarse.
  //
  // Returns InvalidArgument if `config` is out of range, or if the strides of
  // `input` are not 4, 8, 16, 32.
  static absl::StatusOr<std::shared_ptr<MsDeformAttnPixelDecoder>> Create(
      const MsDeformAttnPixelDecoderConfig& config,
      const FeaturePyramidSpec& input);

  PixelDecoderOutput forward(const FeaturePyramid& pyramid) override;

  int64_t channels() const override { return config_.channels(); }
  int64_t mask_channels() const override { return config_.mask_channels(); }

 private:
  MsDeformAttnPixelDecoder(const MsDeformAttnPixelDecoderConfig& config,
                           const FeaturePyramidSpec& input);

  void CheckPyramid(const FeaturePyramid& pyramid) const;

  // The embedding for maps like `map`, [1, C, H, W]; remembered.
  torch::Tensor Positions(const torch::Tensor& map);

  const MsDeformAttnPixelDecoderConfig config_;
  const FeaturePyramidSpec input_;

  torch::nn::ModuleList input_projections_;  // Strides 32, 16, 8, to C.
  std::shared_ptr<DeformableEncoder> encoder_;
  std::shared_ptr<ConvNorm> lateral_;  // Stride 4, to C.
  std::shared_ptr<ConvNorm> output_;   // Stride 4, C to C.
  torch::nn::Conv2d mask_projection_{nullptr};

  std::mutex positions_mutex_;
  std::map<std::array<int64_t, 2>, torch::Tensor> positions_;  // Of {H, W}.
};

}  // namespace mask2former

#endif  // MASK2FORMER_PIXEL_DECODER_MS_DEFORM_ATTN_PIXEL_DECODER_H_
