#include "mask2former/transformer_decoder/masked_attention_decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/layers/conv_norm.h"
#include "mask2former/common/layers/initialization.h"
#include "mask2former/common/layers/sine_position_embedding.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/tensor_shape.h"
#include "mask2former/transformer_decoder/attention_mask.h"
#include "mask2former/transformer_decoder/decoder_layer.h"

namespace mask2former {
namespace {

constexpr int64_t kNumLevels = 3;

absl::Status Validate(const MaskedAttentionDecoderConfig& config,
                      int64_t in_channels, int64_t mask_channels,
                      int64_t num_classes) {
  if (config.num_queries() < 1 || config.channels() < 1 ||
      config.num_heads() < 1 || config.feedforward_channels() < 1 ||
      config.num_layers() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("masked_attention: every size must be positive, got ",
                     config.ShortDebugString()));
  }
  if (config.channels() % config.num_heads() != 0 ||
      config.channels() % 4 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("masked_attention: channels (", config.channels(),
                     ") must be a multiple of num_heads (", config.num_heads(),
                     ") and of 4"));
  }
  if (!(config.dropout() >= 0 && config.dropout() < 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "masked_attention: dropout must be in [0, 1), got ", config.dropout()));
  }
  if (in_channels < 1 || mask_channels < 1 || num_classes < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "masked_attention: in_channels, mask_channels and num_classes must be "
        "positive, got ",
        in_channels, ", ", mask_channels, " and ", num_classes));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<MaskedAttentionDecoder>>
MaskedAttentionDecoder::Create(const MaskedAttentionDecoderConfig& config,
                               int64_t in_channels, int64_t mask_channels,
                               int64_t num_classes) {
  M2F_RETURN_IF_ERROR(
      Validate(config, in_channels, mask_channels, num_classes));
  // Not make_shared: the constructor is private.
  return std::shared_ptr<MaskedAttentionDecoder>(new MaskedAttentionDecoder(
      config, in_channels, mask_channels, num_classes));
}

MaskedAttentionDecoder::MaskedAttentionDecoder(
    const MaskedAttentionDecoderConfig& config, int64_t in_channels,
    int64_t mask_channels, int64_t num_classes)
    : config_(config),
      in_channels_(in_channels),
      mask_channels_(mask_channels),
      num_classes_(num_classes) {
  DecoderLayerOptions layer;
  layer.channels = config.channels();
  layer.num_heads = config.num_heads();
  layer.feedforward_channels = config.feedforward_channels();
  layer.dropout = config.dropout();
  layer.pre_norm = config.pre_norm();
  register_module("transformer_self_attention_layers", self_attention_);
  register_module("transformer_cross_attention_layers", cross_attention_);
  register_module("transformer_ffn_layers", feedforward_);
  for (int i = 0; i < config.num_layers(); ++i) {
    self_attention_->push_back(std::make_shared<SelfAttentionLayer>(layer));
    cross_attention_->push_back(std::make_shared<CrossAttentionLayer>(layer));
    feedforward_->push_back(std::make_shared<FeedforwardLayer>(layer));
  }

  PredictionHeadOptions head;
  head.channels = config.channels();
  head.mask_channels = mask_channels;
  head.num_classes = num_classes;
  head_.emplace(*this, head);

  const auto add_embedding = [&](const char* name, int64_t count) {
    return register_module(name,
                           torch::nn::Embedding(count, config.channels()));
  };
  query_contents_ = add_embedding("query_feat", config.num_queries());
  query_positions_ = add_embedding("query_embed", config.num_queries());
  level_embedding_ = add_embedding("level_embed", kNumLevels);

  register_module("input_proj", input_projections_);
  if (in_channels != config.channels()) {
    ConvNormOptions projection;
    projection.in_channels = in_channels;
    projection.out_channels = config.channels();
    projection.bias = true;
    for (int64_t i = 0; i < kNumLevels; ++i) {
      const auto conv = std::make_shared<ConvNorm>(projection);
      UniformFanIn(conv->weight());
      const torch::NoGradGuard no_grad;
      conv->bias().zero_();
      input_projections_->push_back(conv);
    }
  }
}

void MaskedAttentionDecoder::CheckInputs(
    const std::vector<torch::Tensor>& levels,
    const torch::Tensor& mask_features) const {
  TORCH_CHECK(static_cast<int64_t>(levels.size()) == kNumLevels,
              "levels must be ", kNumLevels, " maps, got ", levels.size());
  CheckShape(mask_features, "mask_features",
             {kAny, mask_channels_, kAny, kAny});
  for (const torch::Tensor& level : levels) {
    CheckShape(level, "level",
               {mask_features.size(0), in_channels_, kAny, kAny});
  }
}

MaskedAttentionDecoder::Memory MaskedAttentionDecoder::MakeMemory(
    const torch::Tensor& level, int64_t index) {
  Memory memory;
  memory.height = level.size(2);
  memory.width = level.size(3);
  const torch::Tensor projected =
      input_projections_->is_empty()
          ? level
          : input_projections_->at<ConvNorm>(index).forward(level);
  // [B, C, H, W] -> [B, H W, C]
  const auto to_cells = [](const torch::Tensor& map) {
    return map.flatten(2).transpose(1, 2).contiguous();
  };
  // The level's embedding belongs to the content, so values have it too.
  memory.values = to_cells(projected) + level_embedding_->weight[index];
  memory.keys =
      memory.values +
      to_cells(SinePositionEmbedding(
          memory.height, memory.width, config_.channels(),
          torch::TensorOptions().dtype(torch::kFloat).device(level.device())));
  return memory;
}

torch::Tensor MaskedAttentionDecoder::RunLayer(int64_t index,
                                               const torch::Tensor& x,
                                               const torch::Tensor& x_positions,
                                               const Memory& memory,
                                               const torch::Tensor& blocked) {
  torch::Tensor y = cross_attention_->at<CrossAttentionLayer>(index).forward(
      x, x_positions, memory.keys, memory.values, AttendableCells(blocked));
  y = self_attention_->at<SelfAttentionLayer>(index).forward(y, x_positions);
  return feedforward_->at<FeedforwardLayer>(index).forward(y);
}

std::vector<MaskPrediction> MaskedAttentionDecoder::forward(
    const std::vector<torch::Tensor>& levels,
    const torch::Tensor& mask_features) {
  CheckInputs(levels, mask_features);
  std::vector<Memory> memories;
  for (int64_t i = 0; i < kNumLevels; ++i) {
    memories.push_back(MakeMemory(levels[i], i));
  }
  const int64_t batch = mask_features.size(0);
  // [Q, C] -> [B, Q, C]
  torch::Tensor x = query_contents_->weight.expand({batch, -1, -1});
  const torch::Tensor x_positions =
      query_positions_->weight.expand({batch, -1, -1});

  std::vector<MaskPrediction> predictions = {head_->Predict(x, mask_features)};
  for (int64_t i = 0; i < config_.num_layers(); ++i) {
    const Memory& memory = memories[i % kNumLevels];
    const torch::Tensor blocked = BlockedCells(predictions.back().mask_logits,
                                               memory.height, memory.width);
    x = RunLayer(i, x, x_positions, memory, blocked);
    predictions.push_back(head_->Predict(x, mask_features));
  }
  return predictions;
}

MaskPrediction MaskedAttentionDecoder::PredictFinal(
    const std::vector<torch::Tensor>& levels,
    const torch::Tensor& mask_features) {
  CheckInputs(levels, mask_features);
  std::vector<Memory> memories;
  std::vector<torch::Tensor> shrunk;  // [B, E, H_l, W_l]
  for (int64_t i = 0; i < kNumLevels; ++i) {
    memories.push_back(MakeMemory(levels[i], i));
    const torch::NoGradGuard no_grad;
    shrunk.push_back(at::upsample_bilinear2d(
        mask_features, {memories[i].height, memories[i].width},
        /*align_corners=*/false));
  }
  const int64_t batch = mask_features.size(0);
  torch::Tensor x = query_contents_->weight.expand({batch, -1, -1});
  const torch::Tensor x_positions =
      query_positions_->weight.expand({batch, -1, -1});

  for (int64_t i = 0; i < config_.num_layers(); ++i) {
    const Memory& memory = memories[i % kNumLevels];
    torch::Tensor blocked;
    {
      const torch::NoGradGuard no_grad;
      blocked = BlockedCells(head_->PredictMasks(x, shrunk[i % kNumLevels]),
                             memory.height, memory.width);
    }
    x = RunLayer(i, x, x_positions, memory, blocked);
  }
  return head_->Predict(x, mask_features);
}

}  // namespace mask2former
