#include "mask2former/train/optimizer/optimizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

Optimizer MakeOptimizer(const at::Tensor& head, const at::Tensor& backbone) {
  PolyScheduleOptions schedule;
  schedule.max_iter = 10;
  schedule.power = 1;
  return Optimizer(
      {{0.01, 0, {"backbone.w"}, {backbone}}, {0.1, 0, {"head.w"}, {head}}}, {},
      schedule, /*max_norm=*/0.01);
}

at::Tensor Ones() { return at::ones({4}).set_requires_grad(true); }

TEST(OptimizerTest, ClipsUpdatesAndAdvances) {
  at::Tensor head = Ones(), backbone = Ones();
  Optimizer optimizer = MakeOptimizer(head, backbone);
  EXPECT_EQ(optimizer.iteration(), 0);
  EXPECT_DOUBLE_EQ(optimizer.lr(), 0.1);
  optimizer.ZeroGrad();
  (3 * head.sum()).backward();
  EXPECT_FLOAT_EQ(optimizer.Step(), 6);
  EXPECT_EQ(optimizer.iteration(), 1);
  EXPECT_DOUBLE_EQ(optimizer.lr(), 0.1 * 0.9);
  // Adam's first step has the length of the learning rate.
  EXPECT_THAT(head, TensorNear(at::full({4}, 0.9), 1e-6, 0.));
  EXPECT_THAT(backbone, TensorNear(at::ones({4}), 0., 0.));
  EXPECT_THAT(head.grad(), TensorNear(at::full({4}, 0.005), 1e-6, 0.));
}

TEST(OptimizerTest, SkipsAnInfiniteGradientButAdvancesTheSchedule) {
  at::Tensor head = Ones(), backbone = Ones();
  Optimizer optimizer = MakeOptimizer(head, backbone);
  head.mutable_grad() = at::full({4}, std::numeric_limits<float>::infinity());
  EXPECT_FALSE(std::isfinite(optimizer.Step()));
  EXPECT_EQ(optimizer.iteration(), 1);
  EXPECT_THAT(head, TensorNear(at::ones({4}), 0., 0.));
}

TEST(OptimizerTest, ALossScaleChangesNothing) {
  at::Tensor head = Ones(), scaled_head = Ones();
  Optimizer plain = MakeOptimizer(head, Ones());
  Optimizer scaled = MakeOptimizer(scaled_head, Ones());
  for (int t = 0; t < 3; ++t) {
    head.mutable_grad() = at::full({4}, 1. + t);
    scaled_head.mutable_grad() = at::full({4}, 1024 * (1. + t));
    EXPECT_FLOAT_EQ(scaled.Step(/*loss_scale=*/1024), plain.Step());
  }
  EXPECT_THAT(scaled_head, TensorNear(head, 1e-7, 0.));
}

TEST(OptimizerTest, GoesOnFromASavedState) {
  at::Tensor head = Ones(), resumed_head = Ones();
  Optimizer whole = MakeOptimizer(head, Ones());
  const auto step = [](Optimizer& optimizer, at::Tensor& parameter) {
    parameter.mutable_grad() =
        at::full({4}, 1. + static_cast<double>(optimizer.iteration()));
    optimizer.Step();
  };
  for (int t = 0; t < 4; ++t) step(whole, head);
  Optimizer first = MakeOptimizer(resumed_head, Ones());
  for (int t = 0; t < 2; ++t) step(first, resumed_head);
  Optimizer second = MakeOptimizer(resumed_head, Ones());
  ASSERT_THAT(second.LoadState(first.State()), IsOk());
  EXPECT_EQ(second.iteration(), 2);
  for (int t = 2; t < 4; ++t) step(second, resumed_head);
  EXPECT_THAT(resumed_head, TensorNear(head, 0., 0.));
}

TEST(OptimizerTest, RefusesAStateWithoutIteration) {
  Optimizer optimizer = MakeOptimizer(Ones(), Ones());
  std::map<std::string, at::Tensor> state = optimizer.State();
  state["iteration"] = at::full({}, -1, at::kLong);
  EXPECT_THAT(
      optimizer.LoadState(state),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"iteration\"")));
  state.erase("iteration");
  EXPECT_THAT(
      optimizer.LoadState(state),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("\"iteration\"")));
}

}  // namespace
}  // namespace mask2former
