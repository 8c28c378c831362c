#include "mask2former/backbone/checkpoint_activations.h"

#include <ATen/TensorOperators.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/utils.h>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

class CheckpointActivationsTest : public testing::Test {
 protected:
  CheckpointActivationsTest() {
    torch::manual_seed(1);
    x_ = at::randn({3, 4}).requires_grad_();
    weight_ = at::randn({4, 4}).requires_grad_();
    unused_ = at::randn({2}).requires_grad_();
  }

  at::Tensor Function(const at::Tensor& x) {
    ++calls_;
    last_dtype_ = at::matmul(x, weight_).scalar_type();
    return at::matmul(at::matmul(x, weight_).tanh(), weight_).to(at::kFloat);
  }

  at::Tensor Checkpointed(const at::Tensor& x) {
    return CheckpointActivations(
        [this](const at::Tensor& input) { return Function(input); }, x,
        {weight_, unused_});
  }

  at::Tensor x_, weight_, unused_;
  int calls_ = 0;
  at::ScalarType last_dtype_ = at::kFloat;
};

TEST_F(CheckpointActivationsTest, GivesTheSameResultAndGradients) {
  const at::Tensor plain = Function(x_ * 2);
  const auto expected =
      torch::autograd::grad({plain.square().sum()}, {x_, weight_});
  calls_ = 0;
  const at::Tensor output = Checkpointed(x_ * 2);
  EXPECT_EQ(calls_, 1);
  EXPECT_THAT(output.detach(), TensorNear(plain.detach(), 0., 0.));
  const auto actual = torch::autograd::grad(
      {output.square().sum()}, {x_, weight_, unused_}, {},
      /*retain_graph=*/false, /*create_graph=*/false, /*allow_unused=*/true);
  EXPECT_EQ(calls_, 2);
  EXPECT_THAT(actual[0], TensorNear(expected[0], 0., 0.));
  EXPECT_THAT(actual[1], TensorNear(expected[1], 0., 0.));
}

TEST_F(CheckpointActivationsTest, GradientsAddUpInBackward) {
  Function(x_).sum().backward();
  const at::Tensor once = weight_.grad().clone();
  Checkpointed(x_).sum().backward();
  EXPECT_THAT(weight_.grad(), TensorNear(2 * once, 0., 1e-6));
}

TEST_F(CheckpointActivationsTest, ParametersGetGradientsWhereTheInputHasNone) {
  Checkpointed(x_.detach()).sum().backward();
  EXPECT_TRUE(weight_.grad().defined());
  EXPECT_FALSE(x_.grad().defined());
}

TEST_F(CheckpointActivationsTest, RunsOnceWithoutGradients) {
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(Checkpointed(x_).requires_grad());
  EXPECT_EQ(calls_, 1);
}

TEST_F(CheckpointActivationsTest, TheSecondCallSeesTheAutocastOfTheFirst) {
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const at::Tensor output = Checkpointed(x_);
  EXPECT_EQ(last_dtype_, at::kBFloat16);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  at::autocast::clear_cache();
  output.sum().backward();
  EXPECT_EQ(calls_, 2);
  EXPECT_EQ(last_dtype_, at::kBFloat16);
  EXPECT_FALSE(at::autocast::is_autocast_enabled(at::kCPU));
  EXPECT_TRUE(at::autocast::is_autocast_cache_enabled());
  EXPECT_TRUE(weight_.grad().defined());
}

}  // namespace
}  // namespace mask2former
