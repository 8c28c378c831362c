#include "mask2former/backbone/swin_patches.h"

#include <ATen/ops/constant_pad_nd.h>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

constexpr int64_t kPatch = 4;

torch::nn::LayerNorm MakeNorm(int64_t channels) {
  return torch::nn::LayerNorm(
      torch::nn::LayerNormOptions({channels}).eps(1e-5));
}

// How many are missing to a multiple of `divisor`.
int64_t Missing(int64_t size, int64_t divisor) {
  return (divisor - size % divisor) % divisor;
}

}  // namespace

PatchEmbedding::PatchEmbedding(int64_t channels)
    : proj_(register_module(
          "proj",
          torch::nn::Conv2d(
              torch::nn::Conv2dOptions(3, channels, kPatch).stride(kPatch)))),
      norm_(register_module("norm", MakeNorm(channels))) {}

torch::Tensor PatchEmbedding::forward(const torch::Tensor& images) {
  CheckShape(images, "images", {kAny, 3, kAny, kAny});
  const int64_t below = Missing(images.size(2), kPatch);
  const int64_t right = Missing(images.size(3), kPatch);
  const torch::Tensor padded =
      below == 0 && right == 0
          ? images
          : at::constant_pad_nd(images, {0, right, 0, below});
  // [B, C, H / 4, W / 4] -> [B, H / 4, W / 4, C]
  return norm_->forward(
      proj_->forward(padded).permute({0, 2, 3, 1}).contiguous());
}

PatchMerging::PatchMerging(int64_t channels)
    : reduction_(register_module(
          "reduction",
          torch::nn::Linear(torch::nn::LinearOptions(4 * channels, 2 * channels)
                                .bias(false)))),
      norm_(register_module("norm", MakeNorm(4 * channels))) {}

torch::Tensor PatchMerging::forward(const torch::Tensor& x) {
  CheckShape(x, "x", {kAny, kAny, kAny, kAny});
  const int64_t below = Missing(x.size(1), 2);
  const int64_t right = Missing(x.size(2), 2);
  const torch::Tensor padded =
      below == 0 && right == 0
          ? x
          : at::constant_pad_nd(x, {0, 0, 0, right, 0, below});
  // [B, H / 2, row, W / 2, column, C] -> [B, H / 2, W / 2, column, row, C]
  const torch::Tensor patches = padded.unflatten(2, {-1, 2})
                                    .unflatten(1, {-1, 2})
                                    .permute({0, 1, 3, 4, 2, 5})
                                    .flatten(3);
  return reduction_->forward(norm_->forward(patches));
}

}  // namespace mask2former
