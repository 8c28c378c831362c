#include "mask2former/backbone/swin.h"

#include <torch/nn/modules/container/modulelist.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

constexpr int kNumStages = 4;

using PerStage = std::array<int, kNumStages>;
using Numbers = google::protobuf::RepeatedField<google::protobuf::int32>;

PerStage NumbersOr(const Numbers& numbers, const PerStage& if_empty) {
  PerStage result = if_empty;
  std::copy_n(numbers.begin(), std::min(numbers.size(), kNumStages),
              result.begin());
  return result;
}

PerStage Depths(const SwinConfig& config) {
  return NumbersOr(config.depths(), {2, 2, 6, 2});
}

PerStage NumHeads(const SwinConfig& config) {
  return NumbersOr(config.num_heads(), {3, 6, 12, 24});
}

absl::Status CheckPerStage(const char* field, const Numbers& numbers) {
  if (numbers.empty()) return absl::OkStatus();
  if (numbers.size() == kNumStages &&
      *std::min_element(numbers.begin(), numbers.end()) > 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("swin: ", field, " must be ", kNumStages,
                   " positive numbers, got ", absl::StrJoin(numbers, " ")));
}

absl::Status CheckPositive(const char* field, int value) {
  if (value > 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("swin: ", field, " must be positive, got ", value));
}

absl::Status Validate(const SwinConfig& config) {
  M2F_RETURN_IF_ERROR(CheckPositive("embed_channels", config.embed_channels()));
  M2F_RETURN_IF_ERROR(CheckPositive("window_size", config.window_size()));
  M2F_RETURN_IF_ERROR(CheckPositive("mlp_ratio", config.mlp_ratio()));
  M2F_RETURN_IF_ERROR(CheckPerStage("depths", config.depths()));
  M2F_RETURN_IF_ERROR(CheckPerStage("num_heads", config.num_heads()));
  const PerStage heads = NumHeads(config);
  for (int stage = 0; stage < kNumStages; ++stage) {
    const int64_t channels = int64_t{config.embed_channels()} << stage;
    if (channels % heads[stage] != 0) {
      return absl::InvalidArgumentError(
          absl::StrCat("swin: num_heads (", heads[stage], ") must divide the ",
                       channels, " channels of stage ", stage));
    }
  }
  if (!(config.drop_path_rate() >= 0 && config.drop_path_rate() < 1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("swin: drop_path_rate must be in [0, 1), got ",
                     config.drop_path_rate()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<Swin>> Swin::Create(const SwinConfig& config) {
  M2F_RETURN_IF_ERROR(Validate(config));
  // Not make_shared: the constructor is private.
  return std::shared_ptr<Swin>(new Swin(config));
}

Swin::Swin(const SwinConfig& config)
    : embedding_(register_module(
          "patch_embed",
          std::make_shared<PatchEmbedding>(config.embed_channels()))) {
  const PerStage depths = Depths(config), heads = NumHeads(config);
  const int last_block = std::accumulate(depths.begin(), depths.end(), 0) - 1;
  int block = 0;  // Of all.
  torch::nn::ModuleList layers;
  for (int i = 0; i < kNumStages; ++i) {
    const int64_t channels = int64_t{config.embed_channels()} << i;
    Stage stage;
    torch::nn::ModuleList blocks;
    for (int j = 0; j < depths[i]; ++j, ++block) {
      SwinBlockOptions options;
      options.attention.channels = channels;
      options.attention.num_heads = heads[i];
      options.attention.window = config.window_size();
      options.attention.shift = j % 2 == 0 ? 0 : config.window_size() / 2;
      options.feedforward_channels = channels * config.mlp_ratio();
      options.drop_path =
          config.drop_path_rate() * block / std::max(last_block, 1);
      options.checkpoint_activations = config.checkpoint_activations();
      stage.blocks.push_back(std::make_shared<SwinBlock>(options));
      blocks->push_back(stage.blocks.back());
    }
    const auto layer = std::make_shared<torch::nn::Module>();
    layer->register_module("blocks", blocks);
    if (i + 1 < kNumStages) {
      stage.merging = layer->register_module(
          "downsample", std::make_shared<PatchMerging>(channels));
    }
    layers->push_back(layer);
    stages_.push_back(stage);
    pyramid_.push_back({channels, int64_t{4} << i});
  }
  register_module("layers", layers);
  for (int i = 0; i < kNumStages; ++i) {
    stages_[i].norm = register_module(
        absl::StrCat("norm", i),
        torch::nn::LayerNorm(
            torch::nn::LayerNormOptions({pyramid_[i].channels}).eps(1e-5)));
  }
}

FeaturePyramid Swin::forward(const torch::Tensor& images) {
  TORCH_CHECK(images.is_floating_point(),
              "images must be normalised and floating point, got ",
              images.scalar_type());
  torch::Tensor x = embedding_->forward(images);  // [B, H, W, C]
  FeaturePyramid pyramid;
  for (Stage& stage : stages_) {
    for (const std::shared_ptr<SwinBlock>& block : stage.blocks) {
      x = block->forward(x);
    }
    pyramid.push_back(stage.norm->forward(x).permute({0, 3, 1, 2}));
    if (stage.merging != nullptr) x = stage.merging->forward(x);
  }
  return pyramid;
}

}  // namespace mask2former
