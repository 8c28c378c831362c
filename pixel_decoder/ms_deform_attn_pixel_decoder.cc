#include "mask2former/pixel_decoder/ms_deform_attn_pixel_decoder.h"

#include <ATen/ops/upsample_bilinear2d.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/normalization.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/layers/initialization.h"
#include "mask2former/common/layers/sine_position_embedding.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

constexpr int64_t kNumGroups = 32;  // Of every GroupNorm.
constexpr size_t kNumLevels = 3;    // That the encoder sees.

// Sizes whose position embeddings are remembered.
constexpr size_t kMaxPositions = 32;

absl::Status Validate(const MsDeformAttnPixelDecoderConfig& config,
                      const FeaturePyramidSpec& input) {
  if (config.channels() < 1 || config.mask_channels() < 1 ||
      config.num_layers() < 1 || config.num_heads() < 1 ||
      config.num_points() < 1 || config.feedforward_channels() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("ms_deform_attn: every size must be positive, got ",
                     config.ShortDebugString()));
  }
  if (config.channels() % config.num_heads() != 0 ||
      config.channels() % kNumGroups != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("ms_deform_attn: channels (", config.channels(),
                     ") must be a multiple of num_heads (", config.num_heads(),
                     ") and of ", kNumGroups));
  }
  if (!(config.dropout() >= 0 && config.dropout() < 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "ms_deform_attn: dropout must be in [0, 1), got ", config.dropout()));
  }
  M2F_RETURN_IF_ERROR(CheckStrides(input, {4, 8, 16, 32}));
  for (const FeatureLevel& level : input) {
    if (level.channels < 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("the feature pyramid's channels must be positive, got ",
                       level.channels, " at stride ", level.stride));
    }
  }
  return absl::OkStatus();
}

torch::nn::Conv2d Convolution1x1(int64_t in_channels, int64_t out_channels) {
  torch::nn::Conv2d convolution(
      torch::nn::Conv2dOptions(in_channels, out_channels, 1));
  const c10::NoGradGuard no_grad;
  convolution->bias.zero_();
  return convolution;
}

DeformableEncoderOptions EncoderOptions(
    const MsDeformAttnPixelDecoderConfig& config) {
  DeformableEncoderOptions options;
  options.attention.channels = config.channels();
  options.attention.num_levels = kNumLevels;
  options.attention.num_heads = config.num_heads();
  options.attention.num_points = config.num_points();
  options.num_layers = config.num_layers();
  options.feedforward_channels = config.feedforward_channels();
  options.dropout = config.dropout();
  return options;
}

}  // namespace

absl::StatusOr<std::shared_ptr<MsDeformAttnPixelDecoder>>
MsDeformAttnPixelDecoder::Create(const MsDeformAttnPixelDecoderConfig& config,
                                 const FeaturePyramidSpec& input) {
  M2F_RETURN_IF_ERROR(Validate(config, input));
  // Not make_shared: the constructor is private.
  return std::shared_ptr<MsDeformAttnPixelDecoder>(
      new MsDeformAttnPixelDecoder(config, input));
}

MsDeformAttnPixelDecoder::MsDeformAttnPixelDecoder(
    const MsDeformAttnPixelDecoderConfig& config,
    const FeaturePyramidSpec& input)
    : config_(config), input_(input) {
  const int64_t channels = config.channels();
  register_module("input_proj", input_projections_);
  for (size_t i = 0; i < kNumLevels; ++i) {
    const torch::nn::Conv2d convolution =
        Convolution1x1(input[input.size() - 1 - i].channels, channels);
    XavierUniform(convolution->weight);
    input_projections_->push_back(torch::nn::Sequential(
        convolution, torch::nn::GroupNorm(kNumGroups, channels)));
  }
  encoder_ = register_module("transformer", std::make_shared<DeformableEncoder>(
                                                EncoderOptions(config)));

  ConvNormOptions lateral;
  lateral.in_channels = input[0].channels;
  lateral.out_channels = channels;
  lateral.norm = NormKind::kGroup;
  lateral.num_groups = kNumGroups;
  lateral_ = register_module("adapter_1", std::make_shared<ConvNorm>(lateral));
  UniformFanIn(lateral_->weight());

  ConvNormOptions output = lateral;
  output.in_channels = channels;
  output.kernel_size = 3;
  output.padding = 1;
  output.relu = true;
  output_ = register_module("layer_1", std::make_shared<ConvNorm>(output));
  UniformFanIn(output_->weight());

  mask_projection_ = register_module(
      "mask_features", Convolution1x1(channels, config.mask_channels()));
  UniformFanIn(mask_projection_->weight);
}

void MsDeformAttnPixelDecoder::CheckPyramid(
    const FeaturePyramid& pyramid) const {
  TORCH_CHECK(pyramid.size() == input_.size(), "pyramid must have ",
              input_.size(), " levels, got ", pyramid.size());
  const torch::Tensor& coarsest = pyramid.back();
  CheckShape(coarsest, "pyramid level of stride 32",
             {kAny, input_.back().channels, kAny, kAny});
  for (size_t i = 0; i < input_.size(); ++i) {
    const int64_t scale = input_.back().stride / input_[i].stride;
    CheckShape(
        pyramid[i],
        absl::StrCat("pyramid level of stride ", input_[i].stride).c_str(),
        {coarsest.size(0), input_[i].channels, coarsest.size(2) * scale,
         coarsest.size(3) * scale});
  }
}

torch::Tensor MsDeformAttnPixelDecoder::Positions(const torch::Tensor& map) {
  const std::lock_guard<std::mutex> lock(positions_mutex_);
  torch::Tensor& positions = positions_[{map.size(2), map.size(3)}];
  if (!positions.defined() || positions.device() != map.device() ||
      positions.scalar_type() != map.scalar_type()) {
    // Neither an inference tensor nor part of a graph: the next call may be
    // either.
    const c10::InferenceMode normal_mode(false);
    const c10::NoGradGuard no_grad;
    positions = SinePositionEmbedding(map.size(2), map.size(3), channels(),
                                      map.options());
  }
  torch::Tensor result = positions;
  if (positions_.size() > kMaxPositions) positions_.clear();
  return result;
}

PixelDecoderOutput MsDeformAttnPixelDecoder::forward(
    const FeaturePyramid& pyramid) {
  CheckPyramid(pyramid);
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(
      c10::autocast_dispatch_keyset);
  const auto dtype = mask_projection_->weight.scalar_type();

  std::vector<torch::Tensor> levels, positions;  // Coarse to fine.
  for (size_t i = 0; i < kNumLevels; ++i) {
    levels.push_back(
        input_projections_[i]->as<torch::nn::Sequential>()->forward(
            pyramid[pyramid.size() - 1 - i].to(dtype)));
    positions.push_back(Positions(levels.back()));
  }
  levels = encoder_->forward(levels, positions);

  torch::Tensor fine = lateral_->forward(pyramid[0].to(dtype));
  fine = fine +
         at::upsample_bilinear2d(levels.back(), {fine.size(2), fine.size(3)},
                                 /*align_corners=*/false);  // [B, C, H/4, W/4]
  return {mask_projection_->forward(output_->forward(fine)), levels};
}

}  // namespace mask2former
