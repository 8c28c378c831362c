#include "mask2former/train/optimizer/adamw.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/train/optimizer/clip_gradients.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;

constexpr int kSteps = 5;

// One parameter of ones.
std::vector<ParameterGroup> OneGroup(at::Tensor parameter) {
  return {{/*lr=*/0.1, /*weight_decay=*/0.5, {"w"}, {std::move(parameter)}}};
}

at::Tensor Ones(at::IntArrayRef sizes) {
  return at::ones(sizes).set_requires_grad(true);
}

TEST(AdamwTest, FiveClippedScheduledStepsEqualPyTorch) {
  const auto golden =
      ReadSafetensors("train/optimizer/testdata/adamw.safetensors");
  ASSERT_THAT(golden, IsOk());
  const auto& tensors = golden->tensors;
  const auto start = [&](const std::string& name) {
    return tensors.at("start." + name).clone().set_requires_grad(true);
  };
  const std::vector<ParameterGroup> groups = {
      {1e-3, 0.05, {"backbone.weight"}, {start("backbone.weight")}},
      {1e-2,
       0.05,
       {"head.weight", "head.bias"},
       {start("head.weight"), start("head.bias")}},
      {1e-2, 0, {"norm.weight"}, {start("norm.weight")}}};
  Adamw adamw(groups, {});
  for (int step = 0; step < kSteps; ++step) {
    SCOPED_TRACE(step);
    adamw.ZeroGrad();
    for (const ParameterGroup& group : groups) {
      for (size_t i = 0; i < group.names.size(); ++i) {
        const auto gradient =
            tensors.find(absl::StrCat("grad.", step, ".", group.names[i]));
        if (gradient == tensors.end()) continue;
        at::Tensor(group.parameters[i]).mutable_grad() =
            gradient->second.clone();
      }
    }
    const at::Tensor norm = ClipGradients(adamw.Gradients(), 0.5);
    EXPECT_THAT(
        norm, TensorNear(tensors.at(absl::StrCat("norm.", step)), 1e-7, 1e-6));
    adamw.Step(std::pow(1 - static_cast<double>(step) / kSteps, 0.9), norm);
    for (const ParameterGroup& group : groups) {
      for (size_t i = 0; i < group.names.size(); ++i) {
        EXPECT_THAT(group.parameters[i],
                    TensorNear(tensors.at(absl::StrCat("expected.", step, ".",
                                                       group.names[i])),
                               1e-7, 1e-7))
            << group.names[i];
      }
    }
  }
  for (const auto& [name, tensor] : adamw.State()) {
    EXPECT_THAT(tensor, TensorNear(tensors.at("state." + name), 1e-8, 1e-6))
        << name;
  }
}

TEST(AdamwTest, LeavesParametersWithoutGradientAlone) {
  const at::Tensor w = Ones({2});
  Adamw adamw(OneGroup(w), {});
  adamw.Step(1);
  EXPECT_THAT(w, TensorNear(at::ones({2}), 0., 0.));
  EXPECT_EQ(adamw.State().at("step.w").item<float>(), 0);
}

TEST(AdamwTest, SkipsTheStepIfTheNormIsNotFinite) {
  at::Tensor w = Ones({2});
  Adamw adamw(OneGroup(w), {});
  for (const double bad : {std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    w.mutable_grad() = at::full({2}, bad);
    adamw.Step(1, ClipGradients(adamw.Gradients(), 0.01));
    EXPECT_THAT(w, TensorNear(at::ones({2}), 0., 0.));
    EXPECT_THAT(adamw.State().at("exp_avg.w"),
                TensorNear(at::zeros({2}), 0., 0.));
    EXPECT_EQ(adamw.State().at("step.w").item<float>(), 0);
  }
  w.mutable_grad() = at::ones({2});
  adamw.Step(1, ClipGradients(adamw.Gradients(), 0.01));
  // The first step of Adam has the length of the learning rate; decay 0.05.
  EXPECT_THAT(w, TensorNear(at::full({2}, 1 - 0.05 - 0.1), 1e-6, 0.));
  EXPECT_EQ(adamw.State().at("step.w").item<float>(), 1);
}

TEST(AdamwTest, ReadsGradientsOfOtherStrides) {
  at::Tensor w = Ones({2, 3}), same = Ones({2, 3});
  const at::Tensor gradient =
      at::arange(1, 7, at::kFloat).view({3, 2}).t();  // Not contiguous.
  w.mutable_grad() = gradient;
  same.mutable_grad() = gradient.contiguous();
  Adamw(OneGroup(w), {}).Step(1);
  Adamw(OneGroup(same), {}).Step(1);
  EXPECT_THAT(w, TensorNear(same, 0., 0.));
}

TEST(AdamwTest, ZeroGradFreesTheGradients) {
  at::Tensor w = Ones({2});
  w.mutable_grad() = at::ones({2});
  Adamw adamw(OneGroup(w), {});
  EXPECT_EQ(adamw.Gradients().size(), 1);
  adamw.ZeroGrad();
  EXPECT_FALSE(w.grad().defined());
  EXPECT_TRUE(adamw.Gradients().empty());
}

TEST(AdamwTest, GoesOnFromASavedState) {
  at::Tensor w = Ones({3}), resumed = Ones({3});
  const auto step = [](Adamw& adamw, at::Tensor& parameter, int t) {
    parameter.mutable_grad() = at::arange(3, at::kFloat) - t;
    adamw.Step(1);
  };
  Adamw whole(OneGroup(w), {});
  for (int t = 0; t < 4; ++t) step(whole, w, t);
  std::map<std::string, at::Tensor> state;
  {
    Adamw first(OneGroup(resumed), {});
    for (int t = 0; t < 2; ++t) step(first, resumed, t);
    state = first.State();
  }
  Adamw second(OneGroup(resumed), {});
  ASSERT_THAT(second.LoadState(state), IsOk());
  for (int t = 2; t < 4; ++t) step(second, resumed, t);
  EXPECT_THAT(resumed, TensorNear(w, 0., 0.));
}

TEST(AdamwTest, RefusesTheStateOfAnotherModel) {
  const at::Tensor w = Ones({3});
  Adamw adamw(OneGroup(w), {});
  std::map<std::string, at::Tensor> state = adamw.State();
  state["exp_avg.w"] = at::zeros({2});
  EXPECT_THAT(
      adamw.LoadState(state),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("\"exp_avg.w\" must have shape [3], got [2]")));
  state.erase("exp_avg.w");
  EXPECT_THAT(adamw.LoadState(state),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("lacks \"exp_avg.w\"")));
  state = adamw.State();
  state["step.v"] = at::zeros({});
  EXPECT_THAT(adamw.LoadState(state),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("\"step.v\", which belongs to no parameter")));
}

}  // namespace
}  // namespace mask2former
