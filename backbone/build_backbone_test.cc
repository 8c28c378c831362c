#include "mask2former/backbone/build_backbone.h"

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "mask2former/common/feature_pyramid.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

BackboneConfig Config(const std::string& text) {
  return ParseTextProtoOrDie<BackboneConfig>(text);
}

std::vector<int64_t> Channels(const FeaturePyramidSpec& spec) {
  std::vector<int64_t> channels;
  for (const FeatureLevel& level : spec) channels.push_back(level.channels);
  return channels;
}

// All of them train.
int64_t CountParameters(const Backbone& backbone) {
  int64_t count = 0;
  for (const torch::Tensor& parameter : backbone.parameters()) {
    EXPECT_TRUE(parameter.requires_grad());
    count += parameter.numel();
  }
  return count;
}

TEST(BuildBackboneTest, DefaultsGiveThePapersResNet50) {
  const auto backbone = BuildBackbone(Config("resnet {}"));
  ASSERT_THAT(backbone, IsOk());
  EXPECT_THAT(Channels((*backbone)->pyramid()),
              ElementsAre(256, 512, 1024, 2048));
  EXPECT_THAT(CheckStrides((*backbone)->pyramid(), {4, 8, 16, 32}), IsOk());
  EXPECT_EQ(CountParameters(**backbone), 23508032);
}

TEST(BuildBackboneTest, EveryFieldHasItsEffect) {
  const auto backbone = BuildBackbone(
      Config("resnet { depth: 18 width: 8 norm: FROZEN_BN freeze_at: 2 }"));
  ASSERT_THAT(backbone, IsOk());
  EXPECT_THAT(Channels((*backbone)->pyramid()), ElementsAre(8, 16, 32, 64));
  const auto parameters = (*backbone)->named_parameters();
  EXPECT_FALSE(parameters.contains("res5.1.conv2.norm.weight"));
  EXPECT_FALSE(parameters["stem.conv1.weight"].requires_grad());
  EXPECT_FALSE(parameters["res2.1.conv2.weight"].requires_grad());
  EXPECT_TRUE(parameters["res3.0.conv1.weight"].requires_grad());
}

TEST(BuildBackboneTest, FreezesOnlyTheNormsOfFrozenParts) {
  const auto backbone =
      BuildBackbone(Config("resnet { depth: 18 width: 8 freeze_at: 1 }"));
  ASSERT_THAT(backbone, IsOk());
  const auto parameters = (*backbone)->named_parameters();
  EXPECT_FALSE(parameters.contains("stem.conv1.norm.weight"));
  EXPECT_TRUE(parameters["res2.0.conv1.norm.weight"].requires_grad());
  EXPECT_TRUE((*backbone)->named_buffers().contains("stem.conv1.norm.weight"));
}

TEST(BuildBackboneTest, DefaultsOfSwinGiveThePapersTiny) {
  const auto backbone = BuildBackbone(Config("swin {}"));
  ASSERT_THAT(backbone, IsOk());
  EXPECT_THAT(Channels((*backbone)->pyramid()), ElementsAre(96, 192, 384, 768));
  EXPECT_THAT(CheckStrides((*backbone)->pyramid(), {4, 8, 16, 32}), IsOk());
  EXPECT_EQ(CountParameters(**backbone), 27520698);
}

TEST(BuildBackboneTest, EveryFieldOfSwinHasItsEffect) {
  const auto backbone = BuildBackbone(
      Config("swin { embed_channels: 8 depths: [ 1, 2, 1, 3 ] "
             "num_heads: [ 1, 2, 2, 4 ] window_size: 5 mlp_ratio: 2 }"));
  ASSERT_THAT(backbone, IsOk());
  EXPECT_THAT(Channels((*backbone)->pyramid()), ElementsAre(8, 16, 32, 64));
  const auto parameters = (*backbone)->named_parameters();
  EXPECT_THAT(
      parameters["layers.3.blocks.2.attn.relative_position_bias_table"].sizes(),
      ElementsAre(81, 4));
  EXPECT_THAT(parameters["layers.1.blocks.1.mlp.fc1.weight"].sizes(),
              ElementsAre(32, 16));
  EXPECT_FALSE(parameters.contains("layers.0.blocks.1.norm1.weight"));
}

TEST(BuildBackboneTest, RejectsSwinsOutOfRange) {
  const auto expect_rejected = [](const char* config, const char* message) {
    EXPECT_THAT(
        BuildBackbone(Config(config)),
        StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(message)))
        << config;
  };
  expect_rejected("swin { embed_channels: 0 num_heads: [ 1, 1, 1, 1 ] }",
                  "embed_channels must be positive, got 0");
  expect_rejected("swin { depths: [ 2, 2, 6 ] }",
                  "depths must be 4 positive numbers, got 2 2 6");
  expect_rejected("swin { depths: [ 2, 0, 6, 2 ] }", "got 2 0 6 2");
  expect_rejected("swin { num_heads: [ 3, 6, 12, -1 ] }",
                  "num_heads must be 4 positive numbers, got 3 6 12 -1");
  expect_rejected("swin { num_heads: [ 3, 6, 10, 24 ] }",
                  "num_heads (10) must divide the 384 channels of stage 2");
  expect_rejected("swin { window_size: 0 }",
                  "window_size must be positive, got 0");
  expect_rejected("swin { mlp_ratio: 0 }", "mlp_ratio must be positive, got 0");
  expect_rejected("swin { drop_path_rate: 1 }",
                  "drop_path_rate must be in [0, 1), got 1");
  expect_rejected("swin { drop_path_rate: nan }", "drop_path_rate");
}

TEST(BuildBackboneTest, SaysWhichKindsThereAre) {
  EXPECT_THAT(BuildBackbone(Config("")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("set one of resnet, swin")));
}

TEST(BuildBackboneTest, RejectsValuesOutOfRange) {
  EXPECT_THAT(BuildBackbone(Config("resnet { depth: 152 }")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("18, 34, 50 or 101, got 152")));
  EXPECT_THAT(BuildBackbone(Config("resnet { freeze_at: 6 }")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("freeze_at must be 0 to 5, got 6")));
  EXPECT_THAT(BuildBackbone(Config("resnet { width: 0 }")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("width must be positive, got 0")));
}

}  // namespace
}  // namespace mask2former
