#include "mask2former/train/optimizer/parameter_groups.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/embedding.h>
#include <torch/nn/modules/instancenorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <algorithm>
#include <memory>

#include "mask2former/common/layers/batch_norm.h"
#include "mask2former/common/layers/conv_norm.h"

namespace mask2former {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

// A norm of one's own.
struct RmsNorm : torch::nn::Module {
  RmsNorm() { register_parameter("scale", torch::ones({4})); }
};

// A piece of every kind of parameter that the models have.
struct Model : torch::nn::Module {
  Model() {
    auto backbone = std::make_shared<torch::nn::Module>();
    ConvNormOptions conv;
    conv.in_channels = 3;
    conv.out_channels = 4;
    conv.norm = NormKind::kBatch;
    backbone->register_module("stem", std::make_shared<ConvNorm>(conv));
    conv.norm = NormKind::kFrozenBatch;
    backbone->register_module("frozen", std::make_shared<ConvNorm>(conv));
    backbone->register_module("norm0",
                              torch::nn::LayerNorm(std::vector<int64_t>{4}));
    auto attention = std::make_shared<torch::nn::Module>();
    attention->register_parameter("relative_position_bias_table",
                                  torch::zeros({9, 2}));
    backbone->register_module("attn", attention);
    register_module("backbone", backbone);

    auto head = std::make_shared<torch::nn::Module>();
    head->register_parameter("level_embed", torch::zeros({3, 4}));
    auto linear = torch::nn::Linear(4, 2);
    head->register_module("linear", linear);
    head->register_module("tied", linear.ptr());
    conv.norm = NormKind::kGroup;
    conv.num_groups = 2;
    conv.bias = true;
    head->register_module("lateral", std::make_shared<ConvNorm>(conv));
    head->register_module("query_feat", torch::nn::Embedding(5, 4));
    head->register_module(
        "instance_norm", torch::nn::InstanceNorm2d(
                             torch::nn::InstanceNorm2dOptions(4).affine(true)));
    head->register_module("batch_norm", torch::nn::BatchNorm2d(4));
    head->register_module("rms", std::make_shared<RmsNorm>());
    register_module("head", head);
    register_parameter("unused", torch::zeros({2}), /*requires_grad=*/false);
  }
};

TEST(MakeParameterGroupsTest, FollowsTheRulesOfTheReference) {
  const Model model;
  ParameterGroupOptions options;
  options.weight_decay_norm = 0.01;
  options.weight_decay_embed = 0.02;
  const auto groups = MakeParameterGroups(model, options);
  ASSERT_EQ(groups.size(), 6);

  EXPECT_EQ(groups[0].lr, 1e-4 * 0.1);
  EXPECT_EQ(groups[0].weight_decay, 0.05);
  EXPECT_THAT(groups[0].names,
              ElementsAre("backbone.stem.weight", "backbone.frozen.weight"));
  EXPECT_EQ(groups[0].NumElements(), 2 * 12);

  EXPECT_EQ(groups[1].lr, 1e-4 * 0.1);
  EXPECT_EQ(groups[1].weight_decay, 0.01);
  EXPECT_THAT(
      groups[1].names,
      ElementsAre("backbone.stem.norm.weight", "backbone.stem.norm.bias",
                  "backbone.norm0.weight", "backbone.norm0.bias"));

  EXPECT_EQ(groups[2].weight_decay, 0);
  EXPECT_THAT(groups[2].names,
              ElementsAre("backbone.attn.relative_position_bias_table"));

  EXPECT_EQ(groups[3].lr, 1e-4);
  EXPECT_EQ(groups[3].weight_decay, 0.05);
  EXPECT_THAT(groups[3].names,
              ElementsAre("head.level_embed", "head.linear.weight",
                          "head.linear.bias", "head.lateral.weight",
                          "head.lateral.bias", "head.rms.scale"));

  EXPECT_EQ(groups[4].lr, 1e-4);
  EXPECT_EQ(groups[4].weight_decay, 0.01);
  EXPECT_THAT(
      groups[4].names,
      ElementsAre("head.lateral.norm.weight", "head.lateral.norm.bias",
                  "head.instance_norm.weight", "head.instance_norm.bias",
                  "head.batch_norm.weight", "head.batch_norm.bias"));

  EXPECT_EQ(groups[5].weight_decay, 0.02);
  EXPECT_THAT(groups[5].names, ElementsAre("head.query_feat.weight"));
}

TEST(MakeParameterGroupsTest, NamesAreThoseOfTheModel) {
  const Model model;
  const auto all = model.named_parameters();
  for (const ParameterGroup& group : MakeParameterGroups(model, {})) {
    for (size_t i = 0; i < group.names.size(); ++i) {
      ASSERT_TRUE(all.contains(group.names[i])) << group.names[i];
      EXPECT_TRUE(all[group.names[i]].is_same(group.parameters[i]));
    }
  }
}

TEST(MakeParameterGroupsTest, AsksForNormsOfOtherTypes) {
  const Model model;
  ParameterGroupOptions options;
  options.is_norm = [](const torch::nn::Module& module) {
    return dynamic_cast<const RmsNorm*>(&module) != nullptr;
  };
  options.is_embedding = [](const torch::nn::Module& module) {
    return module.named_parameters(/*recurse=*/false).contains("level_embed");
  };
  const auto groups = MakeParameterGroups(model, options);
  // Without decay: the default for norms and embeddings.
  const auto group =
      std::find_if(groups.begin(), groups.end(), [](const auto& candidate) {
        return candidate.lr == 1e-4 && candidate.weight_decay == 0;
      });
  ASSERT_NE(group, groups.end());
  EXPECT_THAT(group->names, Contains("head.rms.scale"));
  EXPECT_THAT(group->names, Contains("head.level_embed"));
}

}  // namespace
}  // namespace mask2former
