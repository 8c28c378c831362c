#include "mask2former/backbone/residual_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

ResidualBlockOptions Bottleneck(int64_t in, int64_t stride) {
  ResidualBlockOptions options;
  options.in_channels = in;
  options.inner_channels = 3;
  options.out_channels = 12;
  options.stride = stride;
  return options;
}

// norm(conv(x)) of a block's layer, spelled out.
torch::Tensor Layer(const ResidualBlock& block, const std::string& name,
                    const torch::Tensor& x, int64_t stride, int64_t padding) {
  const auto p = block.named_parameters();
  const auto b = block.named_buffers();
  return at::batch_norm(at::conv2d(x, p[name + ".weight"], {}, stride, padding),
                        p[name + ".norm.weight"], p[name + ".norm.bias"],
                        b[name + ".norm.running_mean"],
                        b[name + ".norm.running_var"], false, 0.1, 1e-5, false);
}

// Statistics other than 0 and 1.
void Disturb(ResidualBlock& block) {
  const torch::NoGradGuard no_grad;
  for (auto& item : block.named_buffers()) {
    if (item.value().is_floating_point()) item.value().uniform_(0.5, 1.5);
  }
  for (auto& item : block.named_parameters()) {
    if (item.value().dim() == 1) item.value().uniform_(0.5, 1.5);
  }
}

TEST(ResidualBlockTest, BottleneckStridesInThe3x3AndRectifiesLast) {
  torch::manual_seed(1);
  ResidualBlock block(Bottleneck(/*in=*/5, /*stride=*/2));
  Disturb(block);
  block.eval();
  const torch::Tensor x = at::randn({2, 5, 9, 7});
  torch::Tensor y = Layer(block, "conv1", x, 1, 0).clamp_min(0);
  y = Layer(block, "conv2", y, 2, 1).clamp_min(0);
  y = Layer(block, "conv3", y, 1, 0) + Layer(block, "shortcut", x, 2, 0);
  EXPECT_THAT(block.forward(x), TensorNear(y.clamp_min(0), 1e-5, 1e-5));
  const torch::NoGradGuard no_grad;
  EXPECT_THAT(block.forward(x), TensorNear(y.clamp_min(0), 1e-5, 1e-5));
}

TEST(ResidualBlockTest, IdentityShortcutWhereTheShapeStays) {
  torch::manual_seed(1);
  ResidualBlock block(Bottleneck(/*in=*/12, /*stride=*/1));
  Disturb(block);
  block.eval();
  EXPECT_FALSE(block.named_parameters().contains("shortcut.weight"));
  const torch::Tensor x = at::randn({1, 12, 4, 4});
  torch::Tensor y = Layer(block, "conv1", x, 1, 0).clamp_min(0);
  y = Layer(block, "conv2", y, 1, 1).clamp_min(0);
  y = (Layer(block, "conv3", y, 1, 0) + x).clamp_min(0);
  EXPECT_THAT(block.forward(x), TensorNear(y, 1e-5, 1e-5));
}

TEST(ResidualBlockTest, BasicBlockStridesInItsFirstConvolution) {
  torch::manual_seed(1);
  ResidualBlockOptions options = Bottleneck(/*in=*/5, /*stride=*/2);
  options.bottleneck = false;
  options.inner_channels = 12;
  ResidualBlock block(options);
  Disturb(block);
  block.eval();
  const torch::Tensor x = at::randn({1, 5, 8, 6});
  torch::Tensor y = Layer(block, "conv1", x, 2, 1).clamp_min(0);
  y = Layer(block, "conv2", y, 1, 1) + Layer(block, "shortcut", x, 2, 0);
  EXPECT_THAT(block.forward(x), TensorNear(y.clamp_min(0), 1e-5, 1e-5));
}

TEST(ResidualBlockTest, GradientReachesEveryParameter) {
  torch::manual_seed(1);
  ResidualBlock block(Bottleneck(/*in=*/5, /*stride=*/2));
  const torch::Tensor y = block.forward(at::randn({2, 5, 9, 7}));
  EXPECT_THAT(y.sizes(), ElementsAre(2, 12, 5, 4));
  (y * at::randn({2, 12, 5, 4})).sum().backward();
  for (const auto& item : block.named_parameters()) {
    EXPECT_GT(item.value().grad().abs().sum().item<float>(), 0) << item.key();
  }
}

TEST(ResidualBlockTest, RejectsABasicBlockWithABottleneck) {
  ResidualBlockOptions options = Bottleneck(/*in=*/5, /*stride=*/2);
  options.bottleneck = false;
  EXPECT_THAT([&] { ResidualBlock{options}; },
              ThrowsMessage<c10::Error>(HasSubstr("got 3 and 12")));
}

}  // namespace
}  // namespace mask2former
