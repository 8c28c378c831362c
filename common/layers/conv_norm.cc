#include "mask2former/common/layers/conv_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/rsqrt.h>

#include "mask2former/common/layers/initialization.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

BatchNormKind ToBatchNormKind(NormKind kind) {
  switch (kind) {
    case NormKind::kSynchronizedBatch:
      return BatchNormKind::kSynchronized;
    case NormKind::kFrozenBatch:
      return BatchNormKind::kFrozen;
    default:
      return BatchNormKind::kLocal;
  }
}

// What a convolution of `x` computes in: autocast's dtype or that of `x`.
torch::Dtype ComputeDtype(const torch::Tensor& x) {
  const torch::DeviceType device = x.device().type();
  if (x.scalar_type() != torch::kDouble &&
      at::autocast::is_autocast_enabled(device)) {
    return at::autocast::get_autocast_dtype(device);
  }
  return x.scalar_type();
}

}  // namespace

ConvNorm::ConvNorm(const ConvNormOptions& options) : options_(options) {
  TORCH_CHECK(
      options.in_channels > 0 && options.out_channels > 0 &&
          options.kernel_size > 0 && options.stride > 0 && options.padding >= 0,
      "in_channels, out_channels, kernel_size and stride must be "
      "positive and padding not negative, got ",
      options.in_channels, ", ", options.out_channels, ", ",
      options.kernel_size, ", ", options.stride, " and ", options.padding);
  weight_ = register_parameter(
      "weight", at::empty({options.out_channels, options.in_channels,
                           options.kernel_size, options.kernel_size}));
  DefaultUniform(weight_);
  if (options.bias) {
    bias_ = register_parameter("bias", at::empty({options.out_channels}));
    DefaultUniformBias(bias_, weight_);
  }
  switch (options.norm) {
    case NormKind::kNone:
      break;
    case NormKind::kBatch:
    case NormKind::kSynchronizedBatch:
    case NormKind::kFrozenBatch:
      batch_norm_ = register_module(
          "norm", std::make_shared<BatchNorm>(options.out_channels,
                                              ToBatchNormKind(options.norm)));
      break;
    case NormKind::kGroup:
      TORCH_CHECK(options.num_groups > 0 &&
                      options.out_channels % options.num_groups == 0,
                  "num_groups (", options.num_groups,
                  ") must divide out_channels (", options.out_channels, ")");
      group_norm_ = register_module(
          "norm",
          torch::nn::GroupNorm(torch::nn::GroupNormOptions(options.num_groups,
                                                           options.out_channels)
                                   .eps(1e-5)));
      break;
  }
}

torch::Tensor ConvNorm::forward(const torch::Tensor& x,
                                const torch::Tensor& residual) {
  CheckShape(x, "input of a ConvNorm",
             {kAny, options_.in_channels, kAny, kAny});
  const bool constant =
      !group_norm_ && (!batch_norm_ || !is_training() ||
                       batch_norm_->kind() == BatchNormKind::kFrozen);
  if (constant && !torch::GradMode::is_enabled()) {
    return Folded(ComputeDtype(x))->Run(x, residual);
  }
  torch::Tensor y =
      at::conv2d(x, weight_, bias_, options_.stride, options_.padding);
  if (batch_norm_) {
    y = batch_norm_->forward(y);
  } else if (group_norm_) {
    y = group_norm_->forward(y);
  }
  if (residual.defined()) y = y + residual;
  return options_.relu ? at::relu(y) : y;
}

void ConvNorm::train(bool on) {
  torch::nn::Module::train(on);
  const std::lock_guard<std::mutex> lock(mutex_);
  folded_ = nullptr;
}

std::shared_ptr<const FoldedConv> ConvNorm::Folded(torch::Dtype dtype) {
  std::vector<torch::Tensor> sources = {weight_};
  if (bias_.defined()) sources.push_back(bias_);
  if (batch_norm_) {
    sources.insert(sources.end(),
                   {batch_norm_->weight(), batch_norm_->bias(),
                    batch_norm_->running_mean(), batch_norm_->running_var()});
  }
  // Tensors of inference mode do not count writes.
  bool counted = true;
  std::vector<Stamp> stamps;
  for (const torch::Tensor& source : sources) {
    counted = counted && !source.is_inference();
    stamps.emplace_back(source.const_data_ptr(),
                        source.is_inference() ? 0 : source._version());
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (counted && folded_ && folded_dtype_ == dtype &&
        folded_stamps_ == stamps) {
      return folded_;
    }
  }

  torch::Tensor weight = weight_;
  torch::Tensor bias = bias_;
  if (batch_norm_) {
    // In double, so that the weights are rounded once.
    const torch::Tensor scale =
        batch_norm_->weight().to(torch::kDouble) *
        at::rsqrt(batch_norm_->running_var().to(torch::kDouble) +
                  BatchNorm::kEpsilon);
    const torch::Tensor mean = batch_norm_->running_mean();
    weight = weight.to(torch::kDouble) * scale.view({-1, 1, 1, 1});
    bias =
        batch_norm_->bias() + ((bias.defined() ? bias - mean : -mean) * scale);
  }
  FoldedConvOptions options;
  options.stride = options_.stride;
  options.padding = options_.padding;
  options.relu = options_.relu;
  auto folded = std::make_shared<const FoldedConv>(
      weight.to(dtype), bias.defined() ? bias.to(dtype) : bias, options);

  const std::lock_guard<std::mutex> lock(mutex_);
  folded_ = folded;
  folded_dtype_ = dtype;
  folded_stamps_ = std::move(stamps);
  return folded;
}

}  // namespace mask2former
