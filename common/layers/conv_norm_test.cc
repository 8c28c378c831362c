#include "mask2former/common/layers/conv_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::ThrowsMessage;

ConvNormOptions Options(NormKind norm) {
  ConvNormOptions options;
  options.in_channels = 6;
  options.out_channels = 8;
  options.kernel_size = 3;
  options.stride = 2;
  options.padding = 1;
  options.norm = norm;
  options.num_groups = 4;
  return options;
}

TEST(ConvNormTest, NamesItsParametersAndBuffers) {
  const ConvNorm batch(Options(NormKind::kBatch));
  EXPECT_THAT(batch.named_parameters().keys(),
              ElementsAre("weight", "norm.weight", "norm.bias"));
  EXPECT_THAT(batch.named_buffers().keys(),
              ElementsAre("norm.running_mean", "norm.running_var",
                          "norm.num_batches_tracked"));
  const ConvNorm frozen(Options(NormKind::kFrozenBatch));
  EXPECT_THAT(frozen.named_parameters().keys(), ElementsAre("weight"));
  EXPECT_THAT(frozen.named_buffers().keys(),
              ElementsAre("norm.weight", "norm.bias", "norm.running_mean",
                          "norm.running_var"));
  ConvNormOptions options = Options(NormKind::kGroup);
  options.bias = true;
  const ConvNorm group(options);
  EXPECT_THAT(group.named_parameters().keys(),
              ElementsAre("weight", "bias", "norm.weight", "norm.bias"));
  EXPECT_THAT(group.named_buffers().keys(), IsEmpty());
}

TEST(ConvNormTest, ConvolvesNormalizesAddsAndRectifiesInThisOrder) {
  torch::manual_seed(1);
  ConvNormOptions options = Options(NormKind::kGroup);
  options.bias = true;
  options.relu = true;
  ConvNorm layer(options);
  const torch::Tensor x = at::randn({2, 6, 9, 7});
  const torch::Tensor residual = at::randn({2, 8, 5, 4});
  const torch::Tensor normal =
      at::group_norm(at::conv2d(x, layer.weight(), layer.bias(), 2, 1), 4);
  EXPECT_THAT(layer.forward(x), TensorNear(normal.clamp_min(0), 1e-6, 0.));
  EXPECT_THAT(layer.forward(x, residual),
              TensorNear((normal + residual).clamp_min(0), 1e-6, 0.));
}

TEST(ConvNormTest, GradientReachesEveryParameterAndTheResidual) {
  torch::manual_seed(1);
  ConvNorm layer(Options(NormKind::kBatch));
  const torch::Tensor residual = at::randn({2, 8, 5, 4}).requires_grad_();
  const torch::Tensor x = at::randn({2, 6, 9, 7});
  (layer.forward(x, residual) * at::randn({2, 8, 5, 4})).sum().backward();
  for (const auto& item : layer.named_parameters()) {
    EXPECT_GT(item.value().grad().abs().sum().item<float>(), 0) << item.key();
  }
  EXPECT_GT(residual.grad().abs().sum().item<float>(), 0);
}

// A layer whose norm has statistics, scale and shift other than 0 and 1.
std::shared_ptr<ConvNorm> Disturbed(ConvNormOptions options) {
  options.relu = true;
  auto layer = std::make_shared<ConvNorm>(options);
  const torch::NoGradGuard no_grad;
  for (const auto& item : layer->named_parameters()) {
    if (item.value().dim() == 1) item.value().uniform_(0.5, 1.5);
  }
  for (const auto& item : layer->named_buffers()) {
    if (item.value().is_floating_point()) item.value().uniform_(0.5, 1.5);
  }
  return layer;
}

TEST(ConvNormTest, FoldingTheNormChangesRoundingOnly) {
  torch::manual_seed(1);
  const torch::Tensor x = at::randn({2, 6, 9, 7});
  const torch::Tensor residual = at::randn({2, 8, 5, 4});
  for (const bool bias : {false, true}) {
    for (const NormKind norm :
         {NormKind::kNone, NormKind::kBatch, NormKind::kSynchronizedBatch,
          NormKind::kFrozenBatch, NormKind::kGroup}) {
      ConvNormOptions options = Options(norm);
      options.bias = bias;
      const auto layer = Disturbed(options);
      layer->eval();
      const torch::Tensor y = layer->forward(x);
      const torch::Tensor z = layer->forward(x, residual);
      const torch::NoGradGuard no_grad;
      EXPECT_THAT(layer->forward(x), TensorNear(y, 1e-5, 1e-5));
      EXPECT_THAT(layer->forward(x, residual), TensorNear(z, 1e-5, 1e-5));
    }
  }
}

TEST(ConvNormTest, NoticesChangesOfEverythingFolded) {
  torch::manual_seed(1);
  const torch::Tensor x = at::randn({1, 6, 9, 7});
  ConvNormOptions options = Options(NormKind::kBatch);
  options.bias = true;
  const auto layer = Disturbed(options);
  layer->eval();
  const auto change = [&](torch::Tensor tensor) {
    const torch::NoGradGuard no_grad;
    const torch::Tensor before = layer->forward(x);
    tensor.mul_(1.5);
    const torch::Tensor after = layer->forward(x);
    EXPECT_GT((after - before).abs().max().item<float>(), 1e-3);
    const torch::AutoGradMode grad(true);
    EXPECT_THAT(after, TensorNear(layer->forward(x), 1e-5, 1e-5));
  };
  for (const auto& item : layer->named_parameters()) change(item.value());
  for (const auto& item : layer->named_buffers()) {
    if (item.value().is_floating_point()) change(item.value());
  }
  // A write that only a new eval() reveals.
  const torch::NoGradGuard no_grad;
  layer->forward(x);
  layer->weight().data().mul_(2);
  layer->eval();
  const torch::Tensor folded = layer->forward(x);
  const torch::AutoGradMode grad(true);
  EXPECT_THAT(folded, TensorNear(layer->forward(x), 1e-5, 1e-5));
}

TEST(ConvNormTest, FollowsDtypes) {
  const auto layer = Disturbed(Options(NormKind::kBatch));
  layer->eval();
  const torch::Tensor x = at::randn({1, 6, 9, 7}, torch::kDouble);
  const torch::NoGradGuard no_grad;
  const torch::Tensor single = layer->forward(x.to(torch::kFloat));
  layer->to(torch::kDouble);
  const torch::Tensor twice = layer->forward(x);
  EXPECT_EQ(twice.scalar_type(), torch::kDouble);
  EXPECT_THAT(single, TensorNear(twice, 1e-5, 1e-5));
}

TEST(ConvNormTest, RunsUnderInferenceMode) {
  const c10::InferenceMode inference;
  const auto layer = Disturbed(Options(NormKind::kBatch));
  layer->eval();
  const torch::Tensor x = at::randn({1, 6, 9, 7});
  const torch::Tensor before = layer->forward(x);
  layer->weight().mul_(1.5);
  EXPECT_GT((layer->forward(x) - before).abs().max().item<float>(), 1e-3);
}

TEST(ConvNormTest, RejectsWhatDoesNotFit) {
  ConvNorm layer(Options(NormKind::kNone));
  EXPECT_THAT(
      [&] {
        layer.forward(at::zeros({1, 5, 4, 4}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("[*, 6, *, *]")));
  ConvNormOptions options = Options(NormKind::kGroup);
  options.num_groups = 3;
  EXPECT_THAT([&] { ConvNorm{options}; },
              ThrowsMessage<c10::Error>(
                  HasSubstr("num_groups (3) must divide out_channels (8)")));
}

}  // namespace
}  // namespace mask2former
