#include "mask2former/backbone/residual_block.h"

namespace mask2former {

ResidualBlock::ResidualBlock(const ResidualBlockOptions& options) {
  TORCH_CHECK(
      options.bottleneck || options.inner_channels == options.out_channels,
      "a block of two convolutions has inner_channels = out_channels, "
      "got ",
      options.inner_channels, " and ", options.out_channels);
  const auto add = [&](const char* name, int64_t in, int64_t out,
                       int64_t kernel, int64_t stride, bool relu) {
    ConvNormOptions conv;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = kernel;
    conv.stride = stride;
    conv.padding = kernel / 2;
    conv.norm = options.norm;
    conv.relu = relu;
    return register_module(name, std::make_shared<ConvNorm>(conv));
  };
  const int64_t in = options.in_channels;
  const int64_t inner = options.inner_channels;
  const int64_t out = options.out_channels;
  const int64_t stride = options.stride;
  if (in != out || stride != 1) {
    shortcut_ = add("shortcut", in, out, 1, stride, /*relu=*/false);
  }
  // The last convolution's ReLU comes after the shortcut is added.
  if (options.bottleneck) {
    conv1_ = add("conv1", in, inner, 1, 1, /*relu=*/true);
    conv2_ = add("conv2", inner, inner, 3, stride, /*relu=*/true);
    conv3_ = add("conv3", inner, out, 1, 1, /*relu=*/true);
  } else {
    conv1_ = add("conv1", in, inner, 3, stride, /*relu=*/true);
    conv2_ = add("conv2", inner, out, 3, 1, /*relu=*/true);
  }
}

torch::Tensor ResidualBlock::forward(const torch::Tensor& x) {
  const torch::Tensor residual = shortcut_ ? shortcut_->forward(x) : x;
  const torch::Tensor y = conv1_->forward(x);
  if (!conv3_) return conv2_->forward(y, residual);
  return conv3_->forward(conv2_->forward(y), residual);
}

}  // namespace mask2former
