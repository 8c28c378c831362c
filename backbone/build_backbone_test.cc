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

TEST(BuildBackboneTest, DefaultsGiveThePapersResNet50) {
  const auto backbone = BuildBackbone(Config("resnet {}"));
  ASSERT_THAT(backbone, IsOk());
  EXPECT_THAT(Channels((*backbone)->pyramid()),
              ElementsAre(256, 512, 1024, 2048));
  EXPECT_THAT(CheckStrides((*backbone)->pyramid(), {4, 8, 16, 32}), IsOk());
  int64_t parameters = 0;
  for (const torch::Tensor& parameter : (*backbone)->parameters()) {
    EXPECT_TRUE(parameter.requires_grad());
    parameters += parameter.numel();
  }
  EXPECT_EQ(parameters, 23508032);
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

TEST(BuildBackboneTest, SaysWhichKindsThereAre) {
  EXPECT_THAT(BuildBackbone(Config("")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("set one of resnet")));
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
