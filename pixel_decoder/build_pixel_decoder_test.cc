#include "mask2former/pixel_decoder/build_pixel_decoder.h"

#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mask2former/common/feature_pyramid.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/pixel_decoder/pixel_decoder.h"
#include "mask2former/pixel_decoder/pixel_decoder_config.pb.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const FeaturePyramidSpec& ResNet50() {
  static const auto& spec =
      *new FeaturePyramidSpec{{256, 4}, {512, 8}, {1024, 16}, {2048, 32}};
  return spec;
}

PixelDecoderConfig Config(const std::string& text) {
  return ParseTextProtoOrDie<PixelDecoderConfig>(text);
}

TEST(BuildPixelDecoderTest, BuildsTheKindThatIsSet) {
  const auto decoder = BuildPixelDecoder(
      Config("ms_deform_attn { channels: 64 mask_channels: 32 }"), ResNet50());
  ASSERT_THAT(decoder, IsOk());
  EXPECT_EQ((*decoder)->channels(), 64);
  EXPECT_EQ((*decoder)->mask_channels(), 32);
}

// Names and shapes of the published R50 weights below
// "sem_seg_head.pixel_decoder.".
TEST(BuildPixelDecoderTest, DefaultsGiveThePapersParametersAndShapes) {
  const auto decoder =
      BuildPixelDecoder(Config("ms_deform_attn {}"), ResNet50());
  ASSERT_THAT(decoder, IsOk());
  const auto parameters = (*decoder)->named_parameters();
  const auto sizes = [&](const std::string& name) {
    return parameters[name].sizes();
  };
  EXPECT_EQ(parameters.size(), 13 + 6 * 16 + 8);
  EXPECT_THAT(sizes("input_proj.0.0.weight"), ElementsAre(256, 2048, 1, 1));
  EXPECT_THAT(sizes("input_proj.0.0.bias"), ElementsAre(256));
  EXPECT_THAT(sizes("input_proj.0.1.weight"), ElementsAre(256));
  EXPECT_THAT(sizes("input_proj.0.1.bias"), ElementsAre(256));
  EXPECT_THAT(sizes("input_proj.1.0.weight"), ElementsAre(256, 1024, 1, 1));
  EXPECT_THAT(sizes("input_proj.2.0.weight"), ElementsAre(256, 512, 1, 1));
  EXPECT_THAT(sizes("transformer.level_embed"), ElementsAre(3, 256));
  for (int i = 0; i < 6; ++i) {
    const std::string layer =
        "transformer.encoder.layers." + std::to_string(i) + ".";
    const std::string attention = layer + "self_attn.";
    EXPECT_THAT(sizes(attention + "sampling_offsets.weight"),
                ElementsAre(192, 256));
    EXPECT_THAT(sizes(attention + "sampling_offsets.bias"), ElementsAre(192));
    EXPECT_THAT(sizes(attention + "attention_weights.weight"),
                ElementsAre(96, 256));
    EXPECT_THAT(sizes(attention + "attention_weights.bias"), ElementsAre(96));
    EXPECT_THAT(sizes(attention + "value_proj.weight"), ElementsAre(256, 256));
    EXPECT_THAT(sizes(attention + "value_proj.bias"), ElementsAre(256));
    EXPECT_THAT(sizes(attention + "output_proj.weight"), ElementsAre(256, 256));
    EXPECT_THAT(sizes(attention + "output_proj.bias"), ElementsAre(256));
    EXPECT_THAT(sizes(layer + "norm1.weight"), ElementsAre(256));
    EXPECT_THAT(sizes(layer + "norm1.bias"), ElementsAre(256));
    EXPECT_THAT(sizes(layer + "linear1.weight"), ElementsAre(1024, 256));
    EXPECT_THAT(sizes(layer + "linear1.bias"), ElementsAre(1024));
    EXPECT_THAT(sizes(layer + "linear2.weight"), ElementsAre(256, 1024));
    EXPECT_THAT(sizes(layer + "linear2.bias"), ElementsAre(256));
    EXPECT_THAT(sizes(layer + "norm2.weight"), ElementsAre(256));
    EXPECT_THAT(sizes(layer + "norm2.bias"), ElementsAre(256));
  }
  EXPECT_THAT(sizes("mask_features.weight"), ElementsAre(256, 256, 1, 1));
  EXPECT_THAT(sizes("mask_features.bias"), ElementsAre(256));
  EXPECT_THAT(sizes("adapter_1.weight"), ElementsAre(256, 256, 1, 1));
  EXPECT_THAT(sizes("adapter_1.norm.weight"), ElementsAre(256));
  EXPECT_THAT(sizes("adapter_1.norm.bias"), ElementsAre(256));
  EXPECT_THAT(sizes("layer_1.weight"), ElementsAre(256, 256, 3, 3));
  EXPECT_THAT(sizes("layer_1.norm.weight"), ElementsAre(256));
  EXPECT_THAT(sizes("layer_1.norm.bias"), ElementsAre(256));
  EXPECT_EQ((*decoder)->named_buffers().size(), 0);

  const c10::NoGradGuard no_grad;
  const PixelDecoderOutput output = (*decoder)->forward(
      {at::zeros({1, 256, 16, 32}), at::zeros({1, 512, 8, 16}),
       at::zeros({1, 1024, 4, 8}), at::zeros({1, 2048, 2, 4})});
  EXPECT_THAT(output.mask_features.sizes(), ElementsAre(1, 256, 16, 32));
  ASSERT_EQ(output.levels.size(), 3);
  EXPECT_THAT(output.levels[0].sizes(), ElementsAre(1, 256, 2, 4));
  EXPECT_THAT(output.levels[1].sizes(), ElementsAre(1, 256, 4, 8));
  EXPECT_THAT(output.levels[2].sizes(), ElementsAre(1, 256, 8, 16));
}

TEST(BuildPixelDecoderTest, EveryFieldReachesTheDecoder) {
  const auto decoder = BuildPixelDecoder(
      Config("ms_deform_attn { channels: 96 mask_channels: 5 num_layers: 2 "
             "num_heads: 3 num_points: 7 feedforward_channels: 11 "
             "dropout: 0.5 }"),
      {{4, 4}, {5, 8}, {6, 16}, {7, 32}});
  ASSERT_THAT(decoder, IsOk());
  const auto parameters = (*decoder)->named_parameters();
  EXPECT_THAT(parameters["input_proj.0.0.weight"].sizes(),
              ElementsAre(96, 7, 1, 1));
  EXPECT_THAT(parameters["adapter_1.weight"].sizes(), ElementsAre(96, 4, 1, 1));
  EXPECT_THAT(parameters["mask_features.weight"].sizes(),
              ElementsAre(5, 96, 1, 1));
  const std::string layer = "transformer.encoder.layers.1.";
  EXPECT_FALSE(parameters.contains("transformer.encoder.layers.2.norm1.bias"));
  EXPECT_THAT(parameters[layer + "linear1.weight"].sizes(),
              ElementsAre(11, 96));
  EXPECT_THAT(parameters[layer + "self_attn.attention_weights.weight"].sizes(),
              ElementsAre(3 * 3 * 7, 96));

  // Dropout: two training passes differ, two evaluation passes do not.
  const FeaturePyramid zeros = {
      at::zeros({1, 4, 8, 8}), at::zeros({1, 5, 4, 4}), at::zeros({1, 6, 2, 2}),
      at::zeros({1, 7, 1, 1})};
  const auto same_twice = [&] {
    return at::equal((*decoder)->forward(zeros).mask_features,
                     (*decoder)->forward(zeros).mask_features);
  };
  EXPECT_FALSE(same_twice());
  (*decoder)->eval();
  EXPECT_TRUE(same_twice());
}

TEST(BuildPixelDecoderTest, SaysWhichKindsThereAre) {
  EXPECT_THAT(BuildPixelDecoder(Config(""), ResNet50()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("set ms_deform_attn")));
}

TEST(BuildPixelDecoderTest, RejectsAPyramidOfOtherStrides) {
  EXPECT_THAT(
      BuildPixelDecoder(Config("ms_deform_attn {}"), {{256, 4}, {512, 8}}),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("strides 4, 8, 16, 32, got 4, 8")));
}

TEST(BuildPixelDecoderTest, RejectsAPyramidWithoutChannels) {
  EXPECT_THAT(BuildPixelDecoder(Config("ms_deform_attn {}"),
                                {{256, 4}, {512, 8}, {0, 16}, {2048, 32}}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("got 0 at stride 16")));
}

TEST(BuildPixelDecoderTest, RejectsHeadsThatDoNotDivideChannels) {
  EXPECT_THAT(
      BuildPixelDecoder(Config("ms_deform_attn { channels: 96 num_heads: 5 }"),
                        ResNet50()),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("num_heads (5)")));
}

TEST(BuildPixelDecoderTest, RejectsChannelsThatTheGroupsDoNotDivide) {
  EXPECT_THAT(
      BuildPixelDecoder(Config("ms_deform_attn { channels: 40 }"), ResNet50()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("channels (40) must be a multiple of num_heads (8) "
                         "and of 32")));
}

TEST(BuildPixelDecoderTest, RejectsSizesAndProbabilitiesOutOfRange) {
  for (const char* field :
       {"channels", "mask_channels", "num_layers", "num_heads", "num_points",
        "feedforward_channels"}) {
    EXPECT_THAT(BuildPixelDecoder(
                    Config(std::string("ms_deform_attn { ") + field + ": 0 }"),
                    ResNet50()),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr("every size must be positive, got " +
                                   std::string(field) + ": 0")));
  }
  EXPECT_THAT(
      BuildPixelDecoder(Config("ms_deform_attn { dropout: 1 }"), ResNet50()),
      StatusIs(absl::StatusCode::kInvalidArgument,
               HasSubstr("dropout must be in [0, 1), got 1")));
}

}  // namespace
}  // namespace mask2former
