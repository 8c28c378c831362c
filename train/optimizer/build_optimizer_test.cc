#include "mask2former/train/optimizer/build_optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/linear.h>

#include <memory>
#include <string>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Model : torch::nn::Module {
  Model() {
    register_module("backbone", torch::nn::Linear(2, 3));
    register_module("head", torch::nn::Linear(3, 1));
  }
};

SolverConfig Config(const std::string& text) {
  return ParseTextProtoOrDie<SolverConfig>(text);
}

TEST(BuildOptimizerTest, DefaultsAreThePublishedOnes) {
  const Model model;
  const auto optimizer = BuildOptimizer(Config(""), model);
  ASSERT_THAT(optimizer, IsOk());
  ASSERT_EQ((*optimizer)->groups().size(), 2);
  EXPECT_DOUBLE_EQ((*optimizer)->groups()[0].lr, 1e-5);
  EXPECT_DOUBLE_EQ((*optimizer)->groups()[0].weight_decay, 0.05);
  EXPECT_EQ((*optimizer)->groups()[0].names.front(), "backbone.weight");
  EXPECT_DOUBLE_EQ((*optimizer)->groups()[1].lr, 1e-4);
  EXPECT_DOUBLE_EQ((*optimizer)->lr(), 1e-4);
}

TEST(BuildOptimizerTest, EveryFieldReachesTheOptimizer) {
  const Model model;
  auto optimizer = BuildOptimizer(
      Config("base_lr: 2 backbone_multiplier: 0.5 weight_decay: 0.25 "
             "beta1: 0 beta2: 0 eps: 1 max_iter: 4 "
             "clip_gradients { enabled: false } "
             "schedule { power: 2 warmup_iters: 1 warmup_factor: 0.5 "
             "           warmup_method: CONSTANT constant_ending: 0.125 }"),
      model);
  ASSERT_THAT(optimizer, IsOk());
  const ParameterGroup& head = (*optimizer)->groups()[1];
  EXPECT_EQ((*optimizer)->groups()[0].lr, 1);
  EXPECT_EQ(head.lr, 2);
  EXPECT_EQ(head.weight_decay, 0.25);
  EXPECT_DOUBLE_EQ((*optimizer)->lr(), 1);  // Warm-up.
  torch::Tensor bias = head.parameters[1];
  const float before = bias.item<float>();
  bias.mutable_grad() = torch::full({1}, 3.f);
  EXPECT_FLOAT_EQ((*optimizer)->Step(), 3);
  // Without memory, w (1 - lr decay) - lr g / (|g| + eps).
  EXPECT_NEAR(bias.item<float>(), before * 0.75f - 0.75f, 1e-6);
  EXPECT_DOUBLE_EQ((*optimizer)->lr(), 2 * 0.5625);
  for (int t = 0; t < 2; ++t) (*optimizer)->Step();
  EXPECT_DOUBLE_EQ((*optimizer)->lr(), 2 * 0.125);
}

TEST(BuildOptimizerTest, ClipsToMaxNorm) {
  const Model model;
  auto optimizer =
      BuildOptimizer(Config("clip_gradients { max_norm: 0.5 }"), model);
  ASSERT_THAT(optimizer, IsOk());
  torch::Tensor bias = (*optimizer)->groups()[1].parameters[1];
  bias.mutable_grad() = torch::full({1}, 3.f);
  (*optimizer)->Step();
  EXPECT_NEAR(bias.grad().item<float>(), 0.5, 1e-6);
}

TEST(BuildOptimizerTest, RefusesAFrozenModel) {
  Model model;
  for (torch::Tensor& parameter : model.parameters()) {
    parameter.set_requires_grad(false);
  }
  EXPECT_THAT(BuildOptimizer(Config(""), model),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("is everything frozen?")));
}

TEST(ValidateSolverConfigTest, NamesEachFieldOutOfRange) {
  for (const auto& [text, error] :
       std::vector<std::pair<std::string, std::string>>{
           {"base_lr: 0", "solver.base_lr must be above 0, got 0"},
           {"base_lr: inf", "solver.base_lr must be above 0, got inf"},
           {"base_lr: nan", "solver.base_lr must be above 0, got nan"},
           {"backbone_multiplier: -1", "solver.backbone_multiplier must be"},
           {"weight_decay: -1", "solver.weight_decay must be at least 0"},
           {"weight_decay_norm: -1", "solver.weight_decay_norm must be"},
           {"weight_decay_embed: -1", "solver.weight_decay_embed must be"},
           {"beta1: 1", "solver.beta1 must be in [0, 1), got 1"},
           {"beta2: -0.1", "solver.beta2 must be in [0, 1), got -0.1"},
           {"eps: 0", "solver.eps must be above 0"},
           {"clip_gradients { max_norm: 0 }",
            "solver.clip_gradients.max_norm must be above 0"},
           {"schedule { power: -1 }", "solver.schedule.power must be"},
           {"schedule { constant_ending: 2 }",
            "solver.schedule.constant_ending must be in [0, 1], got 2"},
           {"max_iter: 5 schedule { warmup_iters: 6 }",
            "solver.schedule.warmup_iters must be in [0, solver.max_iter]"},
           {"schedule { warmup_factor: 1.5 }",
            "solver.schedule.warmup_factor must be"},
           {"max_iter: 0", "solver.max_iter must be at least 1, got 0"},
           {"global_batch_size: 0", "solver.global_batch_size must be"},
           {"global_batch_size: 4 micro_batch_size: 8",
            "solver.micro_batch_size must be in [0, "
            "solver.global_batch_size], got 8"}}) {
    EXPECT_THAT(ValidateSolverConfig(Config(text)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)))
        << text;
  }
}

TEST(ValidateSolverConfigTest, NamesAllAtOnce) {
  EXPECT_THAT(ValidateSolverConfig(Config("base_lr: 0 eps: 0")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("base_lr"), HasSubstr("eps"))));
}

}  // namespace
}  // namespace mask2former
