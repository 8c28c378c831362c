#include "mask2former/common/layers/mlp.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

TEST(MlpTest, NamesItsParametersByLayer) {
  Mlp mlp(2, 5, 3, 3);
  const auto parameters = mlp.named_parameters();
  EXPECT_THAT(parameters.keys(),
              ElementsAre("layers.0.weight", "layers.0.bias", "layers.1.weight",
                          "layers.1.bias", "layers.2.weight", "layers.2.bias"));
  EXPECT_THAT(parameters["layers.0.weight"].sizes(), ElementsAre(5, 2));
  EXPECT_THAT(parameters["layers.1.weight"].sizes(), ElementsAre(5, 5));
  EXPECT_THAT(parameters["layers.2.weight"].sizes(), ElementsAre(3, 5));
}

TEST(MlpTest, AppliesReluBetweenButNotAfterItsLayers) {
  Mlp mlp(1, 2, 1, 2);
  {
    torch::NoGradGuard no_grad;
    auto parameters = mlp.named_parameters();
    parameters["layers.0.weight"].copy_(at::tensor({1.f, -1.f}).view({2, 1}));
    parameters["layers.0.bias"].zero_();
    parameters["layers.1.weight"].copy_(at::tensor({-2.f, -3.f}).view({1, 2}));
    parameters["layers.1.bias"].fill_(0.5);
  }
  // 4 -> relu(4, -4) = (4, 0) -> -8 + 0.5;  -4 -> (0, 4) -> -12 + 0.5.
  EXPECT_THAT(mlp.forward(at::tensor({4.f, -4.f}).view({2, 1})),
              TensorNear(at::tensor({-7.5f, -11.5f}).view({2, 1}),
                         /*atol=*/1e-6, /*rtol=*/0.));
}

TEST(MlpTest, GradientReachesEveryParameter) {
  torch::manual_seed(1);
  Mlp mlp(2, 8, 3, 3);
  mlp.forward(at::ones({4, 2})).sum().backward();
  for (const auto& item : mlp.named_parameters()) {
    EXPECT_GT(item.value().grad().abs().sum().item<float>(), 0) << item.key();
  }
}

TEST(MlpTest, RejectsNoLayers) {
  EXPECT_THAT([] { Mlp(1, 1, 1, 0); },
              ThrowsMessage<c10::Error>(HasSubstr("num_layers")));
}

}  // namespace
}  // namespace mask2former
