#include "mask2former/backbone/swin_block.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/utils.h>

#include <memory>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

SwinBlockOptions Options() {
  SwinBlockOptions options;
  options.attention.channels = 8;
  options.attention.num_heads = 2;
  options.attention.window = 3;
  options.attention.shift = 1;
  options.feedforward_channels = 16;
  return options;
}

// Both branches start with a linear map of their norm's output, so a block
// whose last maps are zero adds nothing.
TEST(SwinBlockTest, AddsTwoBranchesToItsInput) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  SwinBlock block(Options());
  block.eval();
  const torch::Tensor x = at::randn({2, 5, 4, 8});
  EXPECT_FALSE(block.forward(x).equal(x));
  auto parameters = block.named_parameters();
  for (const char* name :
       {"attn.proj.weight", "attn.proj.bias", "mlp.fc2.weight"}) {
    parameters[name].zero_();
  }
  parameters["mlp.fc2.bias"].fill_(0.5);
  EXPECT_THAT(block.forward(x), TensorNear(x + 0.5, 1e-6, 0.));
}

TEST(SwinBlockTest, GradientsDoNotChangeTheResult) {
  torch::manual_seed(1);
  SwinBlock block(Options());
  block.eval();
  const torch::Tensor x = at::randn({2, 5, 4, 8});
  const torch::Tensor copy = x.clone();
  const torch::Tensor with = block.forward(x).detach();
  const torch::NoGradGuard no_grad;
  EXPECT_THAT(block.forward(x), TensorNear(with, 0., 0.));
  EXPECT_TRUE(x.equal(copy));
}

TEST(SwinBlockTest, DroppedBranchesCountNothingAndKeptOnesMore) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  SwinBlockOptions options = Options();
  options.drop_path = 0.75;
  SwinBlock block(options);
  auto parameters = block.named_parameters();
  for (const char* name :
       {"attn.proj.weight", "attn.proj.bias", "mlp.fc2.weight"}) {
    parameters[name].zero_();
  }
  parameters["mlp.fc2.bias"].fill_(1);
  const torch::Tensor x = at::randn({4000, 1, 1, 8});
  const torch::Tensor added = (block.forward(x) - x).flatten(1);
  // 4 = 1 / (1 - 0.75), for a quarter of the images, whole images at a time.
  const torch::Tensor kept = added.gt(2);
  EXPECT_THAT(added, TensorNear(kept.to(torch::kFloat) * 4, 1e-5, 0.));
  EXPECT_TRUE(kept.all(1).equal(kept.any(1)));
  EXPECT_NEAR(kept.to(torch::kFloat).mean().item<float>(), 0.25, 0.03);
  block.eval();
  EXPECT_THAT(block.forward(x), TensorNear(x + 1, 1e-5, 0.));
}

TEST(SwinBlockTest, BranchesAreDroppedOneByOne) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  SwinBlockOptions options = Options();
  options.drop_path = 0.5;
  SwinBlock block(options);
  auto parameters = block.named_parameters();
  parameters["attn.proj.weight"].zero_();
  parameters["attn.proj.bias"].fill_(1);
  parameters["mlp.fc2.weight"].zero_();
  parameters["mlp.fc2.bias"].fill_(10);
  const torch::Tensor x = at::randn({4000, 1, 1, 8});
  const torch::Tensor added = (block.forward(x) - x).flatten(1).select(1, 0);
  for (const double expected : {0., 2., 20., 22.}) {
    const torch::Tensor near = (added - expected).abs().lt(1e-3);
    EXPECT_NEAR(near.to(torch::kFloat).mean().item<float>(), 0.25, 0.03)
        << expected;
  }
}

TEST(SwinBlockTest, RejectsDroppingEverything) {
  SwinBlockOptions options = Options();
  options.drop_path = 1;
  EXPECT_THAT([&] { SwinBlock block(options); },
              ThrowsMessage<c10::Error>(HasSubstr("in [0, 1), got 1")));
}

}  // namespace
}  // namespace mask2former
