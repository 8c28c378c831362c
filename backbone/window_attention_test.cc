#include "mask2former/backbone/window_attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

WindowAttentionOptions Options(int64_t channels, int64_t heads, int64_t window,
                               int64_t shift) {
  WindowAttentionOptions options;
  options.channels = channels;
  options.num_heads = heads;
  options.window = window;
  options.shift = shift;
  return options;
}

TEST(RelativePositionIndexTest, IsThePublishedOne) {
  EXPECT_TRUE(RelativePositionIndex(2).equal(
      at::tensor({4, 3, 1, 0, 5, 4, 2, 1, 7, 6, 4, 3, 8, 7, 5, 4}, torch::kLong)
          .view({4, 4})));
  const torch::Tensor of_seven = RelativePositionIndex(7);
  EXPECT_EQ(of_seven[0][48].item<int64_t>(), 0);
  EXPECT_EQ(of_seven[48][0].item<int64_t>(), 168);
  EXPECT_EQ(of_seven[1][7].item<int64_t>(), (0 - 1 + 6) * 13 + (1 - 0 + 6));
}

TEST(WindowAttentionTest, TheTablesRowsBelongToWaysBetweenPositions) {
  // One head of one channel, windows of 2: with zero queries only the bias
  // decides, and a large one picks the position to read.
  const torch::NoGradGuard no_grad;
  WindowAttention attention(Options(1, 1, 2, 0));
  auto parameters = attention.named_parameters();
  parameters["qkv.weight"].copy_(at::tensor({0.f, 0.f, 1.f}).view({3, 1}));
  parameters["qkv.bias"].zero_();
  parameters["proj.weight"].fill_(1);
  parameters["proj.bias"].fill_(0.5);
  parameters["relative_position_bias_table"].zero_();
  // From (0, 1) to (1, 0): dy = 1, dx = -1.
  parameters["relative_position_bias_table"][2 * 3 + 0][0] = 100;
  const torch::Tensor x = at::tensor({1.f, 2.f, 3.f, 4.f}).view({1, 2, 2, 1});
  EXPECT_THAT(attention.forward(x).flatten(),
              TensorNear(at::tensor({3.f, 3.f, 2.5f, 3.f}), 1e-6, 0.));
}

TEST(WindowAttentionTest, FillsWindowsWithWhatTheMapsMakeOfZeros) {
  // The same map with zeros appended has the same windows.
  torch::manual_seed(1);
  const torch::NoGradGuard no_grad;
  for (const int64_t shift : {0, 1}) {
    WindowAttention attention(Options(8, 2, 3, shift));
    const torch::Tensor padded = at::zeros({2, 6, 6, 8});
    padded.narrow(1, 0, 4).narrow(2, 0, 5).copy_(at::randn({2, 4, 5, 8}));
    const torch::Tensor whole = attention.forward(padded);
    const torch::Tensor part =
        attention.forward(padded.narrow(1, 0, 4).narrow(2, 0, 5));
    ASSERT_THAT(part.sizes(), ElementsAre(2, 4, 5, 8));
    EXPECT_THAT(part,
                TensorNear(whole.narrow(1, 0, 4).narrow(2, 0, 5), 1e-6, 1e-6));
  }
}

TEST(WindowAttentionTest, StartsAsPublished) {
  torch::manual_seed(1);
  WindowAttention attention(Options(96, 3, 7, 3));
  const torch::Tensor table =
      attention.named_parameters()["relative_position_bias_table"];
  EXPECT_THAT(table.sizes(), ElementsAre(169, 3));
  EXPECT_NEAR(table.std().item<float>(), 0.02, 0.002);
  EXPECT_NEAR(table.mean().item<float>(), 0, 0.003);
  EXPECT_TRUE(table.requires_grad());
}

TEST(WindowAttentionTest, RejectsOptionsAndShapesThatDoNotFit) {
  EXPECT_THAT(
      [] { WindowAttention(Options(10, 3, 7, 0)); },
      ThrowsMessage<c10::Error>(HasSubstr("multiple of num_heads (3)")));
  EXPECT_THAT([] { WindowAttention(Options(6, 3, 7, 7)); },
              ThrowsMessage<c10::Error>(HasSubstr("shift (7)")));
  WindowAttention attention(Options(6, 3, 7, 0));
  EXPECT_THAT(
      [&] {
        attention.forward(at::zeros({1, 7, 7, 5}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("x must have shape")));
}

}  // namespace
}  // namespace mask2former
