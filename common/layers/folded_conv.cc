#include "mask2former/common/layers/folded_conv.h"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/cpu/Utils.h>
#include <ATen/ops/conv2d.h>

#include <optional>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

using Scalars = c10::List<std::optional<at::Scalar>>;

// LibTorch's convolutions with a fused end. They have no C++ declaration, so
// they are called by their schema, which typed() checks.
using PointwiseSignature =
    at::Tensor(const at::Tensor& x, const at::Tensor& weight,
               const std::optional<at::Tensor>& bias, at::IntArrayRef padding,
               at::IntArrayRef stride, at::IntArrayRef dilation, int64_t groups,
               c10::string_view end, Scalars scalars,
               std::optional<c10::string_view> algorithm);
using BinarySignature = at::Tensor(
    const at::Tensor& x, const at::Tensor& other, const at::Tensor& weight,
    const std::optional<at::Tensor>& bias, at::IntArrayRef padding,
    at::IntArrayRef stride, at::IntArrayRef dilation, int64_t groups,
    c10::string_view binary, std::optional<at::Scalar> alpha,
    std::optional<c10::string_view> end, Scalars scalars,
    std::optional<c10::string_view> algorithm);

struct OneDnn {
  std::optional<c10::OperatorHandle> pointwise, binary;
};

const OneDnn& GetOneDnn() {
  static const OneDnn operators = {
      c10::Dispatcher::singleton().findSchema(
          {"mkldnn::_convolution_pointwise", ""}),
      c10::Dispatcher::singleton().findSchema(
          {"mkldnn::_convolution_pointwise", "binary"})};
  return operators;
}

bool UsesOneDnn(const at::Tensor& x) {
  if (!x.device().is_cpu() || x.numel() == 0 || !at::hasMKLDNN() ||
      !at::globalContext().userEnabledMkldnn() || !GetOneDnn().pointwise ||
      !GetOneDnn().binary) {
    return false;
  }
  return x.scalar_type() == at::kFloat || (x.scalar_type() == at::kBFloat16 &&
                                           at::cpu::is_avx512_vnni_supported());
}

// Whether channels-last order can be told from the strides; where a size is 1
// it cannot, and oneDNN refuses such a residual.
bool HasOneOrder(const at::Tensor& x) {
  return x.size(1) > 1 && x.size(2) * x.size(3) > 1;
}

at::Tensor ChannelsLast(const at::Tensor& x) {
  return x.contiguous(at::MemoryFormat::ChannelsLast);
}

}  // namespace

FoldedConv::FoldedConv(const at::Tensor& weight, const at::Tensor& bias,
                       const FoldedConvOptions& options)
    : weight_(weight.detach()), bias_(bias), options_(options) {
  if (weight.device().is_cpu()) weight_ = ChannelsLast(weight_);
  if (bias.defined()) bias_ = bias.detach();
}

int64_t FoldedConv::OutputSize(int64_t input_size) const {
  return (input_size + 2 * options_.padding - weight_.size(2)) /
             options_.stride +
         1;
}

at::Tensor FoldedConv::Run(const at::Tensor& x_in,
                           const at::Tensor& residual_in) const {
  const at::NoGradGuard no_grad;
  const at::Tensor x = x_in.to(weight_.scalar_type());
  at::Tensor residual = residual_in;
  if (residual.defined()) {
    CheckShape(residual, "residual",
               {x.size(0), weight_.size(0), OutputSize(x.size(2)),
                OutputSize(x.size(3))});
    residual = residual.to(weight_.scalar_type());
  }
  const std::optional<at::Tensor> bias =
      bias_.defined() ? std::optional<at::Tensor>(bias_) : std::nullopt;
  const int64_t stride[] = {options_.stride, options_.stride};
  const int64_t padding[] = {options_.padding, options_.padding};
  const int64_t dilation[] = {1, 1};

  if (!UsesOneDnn(x) || (residual.defined() && !HasOneOrder(residual))) {
    at::Tensor y =
        at::conv2d(x, weight_, bias, stride, padding, dilation, /*groups=*/1);
    if (residual.defined()) y.add_(residual);
    if (options_.relu) y.relu_();
    return y;
  }
  if (residual.defined()) {
    return GetOneDnn().binary->typed<BinarySignature>().call(
        ChannelsLast(x), ChannelsLast(residual), weight_, bias, padding, stride,
        dilation, /*groups=*/1, "add", at::Scalar(1.0),
        options_.relu ? std::optional<c10::string_view>("relu") : std::nullopt,
        Scalars(), std::nullopt);
  }
  return GetOneDnn().pointwise->typed<PointwiseSignature>().call(
      ChannelsLast(x), weight_, bias, padding, stride, dilation, /*groups=*/1,
      options_.relu ? "relu" : "none", Scalars(), std::nullopt);
}

}  // namespace mask2former
