#include "mask2former/backbone/swin_patches.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(PatchEmbeddingTest, AVectorPerPatchAndZerosBeyondTheImage) {
  const torch::NoGradGuard no_grad;
  PatchEmbedding embedding(2);
  auto parameters = embedding.named_parameters();
  // Channel 0 counts the pixels that are 1, channel 1 is 8.
  parameters["proj.weight"].zero_()[0].fill_(1);
  parameters["proj.bias"].zero_()[1] = 8;
  const torch::Tensor y = embedding.forward(at::ones({1, 3, 6, 4}));
  ASSERT_THAT(y.sizes(), ElementsAre(1, 2, 1, 2));
  // Of (48, 8) and (24, 8) the norm leaves (1, -1).
  EXPECT_NEAR(y[0][0][0][0].item<float>(), 1, 1e-5);
  EXPECT_NEAR(y[0][1][0][1].item<float>(), -1, 1e-5);
  // 2 rows of 4 pixels of 3 channels, less the bias of the other channel: 0.
  parameters["proj.bias"][1] = 24;
  EXPECT_NEAR(
      embedding.forward(at::ones({1, 3, 6, 4}))[0][1][0][0].item<float>(), 0,
      1e-5);
}

TEST(PatchMergingTest, TakesFourNeighboursColumnByColumn) {
  const torch::NoGradGuard no_grad;
  PatchMerging merging(1);
  auto parameters = merging.named_parameters();
  torch::Tensor weight = parameters["reduction.weight"];
  ASSERT_THAT(weight.sizes(), ElementsAre(2, 4));
  EXPECT_FALSE(parameters.contains("reduction.bias"));
  // 3 rows of 3: 0 1 2 / 3 4 5 / 6 7 8.
  const torch::Tensor x = at::arange(9, torch::kFloat).view({1, 3, 3, 1});
  const torch::Tensor expected = at::stack(
      {torch::tensor({0.f, 3.f, 1.f, 4.f}), torch::tensor({2.f, 5.f, 0.f, 0.f}),
       torch::tensor({6.f, 0.f, 7.f, 0.f}),
       torch::tensor({8.f, 0.f, 0.f, 0.f})});
  const torch::Tensor normed = at::layer_norm(expected, {4});
  for (int first = 0; first < 4; first += 2) {
    weight.zero_();
    weight[0][first] = 1;
    weight[1][first + 1] = 1;
    const torch::Tensor y = merging.forward(x);
    ASSERT_THAT(y.sizes(), ElementsAre(1, 2, 2, 2));
    EXPECT_THAT(y.view({4, 2}),
                TensorNear(normed.narrow(1, first, 2), 1e-6, 0.));
  }
}

TEST(SwinPatchesTest, RejectOtherShapes) {
  PatchEmbedding embedding(2);
  EXPECT_THAT(
      [&] {
        embedding.forward(at::zeros({1, 1, 8, 8}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("images must have shape")));
  PatchMerging merging(4);
  EXPECT_THAT(
      [&] {
        merging.forward(at::zeros({1, 8, 4}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("x must have shape")));
}

}  // namespace
}  // namespace mask2former
