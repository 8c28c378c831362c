#include "mask2former/backbone/resnet.h"

#include <ATen/ops/max_pool2d.h>

#include <array>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/backbone/residual_block.h"
#include "mask2former/common/layers/initialization.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

constexpr int kNumStages = 4;

struct Layout {
  std::array<int, kNumStages> blocks;
  bool bottleneck;
};

std::optional<Layout> LayoutOfDepth(int depth) {
  switch (depth) {
    case 18:
      return Layout{{2, 2, 2, 2}, false};
    case 34:
      return Layout{{3, 4, 6, 3}, false};
    case 50:
      return Layout{{3, 4, 6, 3}, true};
    case 101:
      return Layout{{3, 4, 23, 3}, true};
    default:
      return std::nullopt;
  }
}

NormKind ToNormKind(ResNetConfig::Norm norm) {
  switch (norm) {
    case ResNetConfig::SYNC_BN:
      return NormKind::kSynchronizedBatch;
    case ResNetConfig::BN:
      return NormKind::kBatch;
    case ResNetConfig::FROZEN_BN:
      return NormKind::kFrozenBatch;
  }
  return NormKind::kFrozenBatch;  // Not reached: proto2 refuses other numbers.
}

absl::Status Validate(const ResNetConfig& config) {
  if (!LayoutOfDepth(config.depth())) {
    return absl::InvalidArgumentError(absl::StrCat(
        "resnet: depth must be 18, 34, 50 or 101, got ", config.depth()));
  }
  if (config.freeze_at() < 0 || config.freeze_at() > kNumStages + 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "resnet: freeze_at must be 0 to 5, got ", config.freeze_at()));
  }
  if (config.width() < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("resnet: width must be positive, got ", config.width()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::shared_ptr<ResNet>> ResNet::Create(
    const ResNetConfig& config) {
  M2F_RETURN_IF_ERROR(Validate(config));
  // Not make_shared: the constructor is private.
  return std::shared_ptr<ResNet>(new ResNet(config));
}

ResNet::ResNet(const ResNetConfig& config) {
  const Layout layout = *LayoutOfDepth(config.depth());
  const NormKind norm = ToNormKind(config.norm());
  const auto norm_of_part = [&](int part) {
    return part < config.freeze_at() ? NormKind::kFrozenBatch : norm;
  };

  ConvNormOptions stem;
  stem.in_channels = 3;
  stem.out_channels = config.width();
  stem.kernel_size = 7;
  stem.stride = 2;
  stem.padding = 3;
  stem.norm = norm_of_part(0);
  stem.relu = true;
  const auto stem_holder =
      register_module("stem", std::make_shared<torch::nn::Module>());
  stem_ =
      stem_holder->register_module("conv1", std::make_shared<ConvNorm>(stem));

  int64_t channels = config.width();
  int64_t inner = config.width();
  for (int stage = 0; stage < kNumStages; ++stage) {
    const int64_t out = layout.bottleneck ? 4 * inner : inner;
    torch::nn::ModuleList blocks;
    for (int i = 0; i < layout.blocks[stage]; ++i) {
      ResidualBlockOptions block;
      block.bottleneck = layout.bottleneck;
      block.in_channels = channels;
      block.inner_channels = inner;
      block.out_channels = out;
      block.stride = i == 0 && stage > 0 ? 2 : 1;
      block.norm = norm_of_part(stage + 1);
      blocks->push_back(std::make_shared<ResidualBlock>(block));
      channels = out;
    }
    stages_.push_back(register_module(absl::StrCat("res", stage + 2), blocks));
    pyramid_.push_back({channels, int64_t{4} << stage});
    inner *= 2;
  }

  for (const torch::Tensor& parameter : parameters()) {
    if (parameter.dim() == 4) KaimingNormalFanOut(parameter);
  }
  const auto freeze = [](torch::nn::Module& part) {
    for (torch::Tensor& parameter : part.parameters()) {
      parameter.requires_grad_(false);
    }
  };
  if (config.freeze_at() > 0) freeze(*stem_);
  for (int stage = 0; stage + 1 < config.freeze_at(); ++stage) {
    freeze(*stages_[stage]);
  }
}

torch::Tensor ResNet::ForwardStem(const torch::Tensor& images) {
  CheckShape(images, "images", {kAny, 3, kAny, kAny});
  TORCH_CHECK(images.is_floating_point(),
              "images must be normalised and floating point, got ",
              images.scalar_type());
  return at::max_pool2d(stem_->forward(images), /*kernel_size=*/3,
                        /*stride=*/2, /*padding=*/1);
}

FeaturePyramid ResNet::forward(const torch::Tensor& images) {
  torch::Tensor x = ForwardStem(images);
  FeaturePyramid pyramid;
  for (const torch::nn::ModuleList& stage : stages_) {
    for (const std::shared_ptr<torch::nn::Module>& block : *stage) {
      x = block->as<ResidualBlock>()->forward(x);
    }
    pyramid.push_back(x);
  }
  return pyramid;
}

}  // namespace mask2former
