#include "mask2former/common/layers/conv_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/relu.h>

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

}  // namespace mask2former
