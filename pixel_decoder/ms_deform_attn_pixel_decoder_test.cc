#include "mask2former/pixel_decoder/ms_deform_attn_pixel_decoder.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/autocast_mode.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mask2former/common/feature_pyramid.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/pixel_decoder/pixel_decoder_config.pb.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::vector<int64_t> kChannels = {8, 12, 20, 24};

std::shared_ptr<MsDeformAttnPixelDecoder> SmallDecoder() {
  const auto decoder = MsDeformAttnPixelDecoder::Create(
      ParseTextProtoOrDie<MsDeformAttnPixelDecoderConfig>(
          "channels: 64 mask_channels: 16 num_layers: 2 num_heads: 4 "
          "feedforward_channels: 40"),
      {{8, 4}, {12, 8}, {20, 16}, {24, 32}});
  EXPECT_THAT(decoder, IsOk());
  FillWithReferenceValues(**decoder, "pixel_decoder:");
  return *decoder;
}

// Of a 64 x 32 image.
FeaturePyramid SmallPyramid(at::ScalarType type) {
  FeaturePyramid pyramid;
  for (int64_t i = 0; i < 4; ++i) {
    const int64_t height = 16 >> i;
    const int64_t width = 8 >> i;
    const at::Tensor u = ReferenceUniform("input." + std::to_string(i),
                                          2 * kChannels[i] * height * width);
    pyramid.push_back(
        (0.02 * (2 * u - 1)).view({2, kChannels[i], height, width}).to(type));
  }
  return pyramid;
}

const std::map<std::string, at::Tensor>& Golden() {
  static const auto& golden = *new auto(
      ReadSafetensors(
          "pixel_decoder/testdata/ms_deform_attn_pixel_decoder.safetensors")
          ->tensors);
  return golden;
}

void ExpectGolden(const PixelDecoderOutput& output, double tolerance) {
  EXPECT_THAT(output.mask_features,
              TensorNear(Golden().at("mask_features"), tolerance, tolerance));
  ASSERT_EQ(output.levels.size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(output.levels[i],
                TensorNear(Golden().at("levels." + std::to_string(i)),
                           tolerance, tolerance))
        << "level " << i;
  }
}

// The position embeddings are float32 on both sides.
TEST(MsDeformAttnPixelDecoderTest, MatchesAnotherImplementationInDouble) {
  const auto decoder = SmallDecoder();
  decoder->to(at::kDouble);
  const FeaturePyramid pyramid = SmallPyramid(at::kDouble);
  ExpectGolden(decoder->forward(pyramid), 2e-6);
  const c10::NoGradGuard no_grad;
  ExpectGolden(decoder->forward(pyramid), 2e-6);
  decoder->eval();
  ExpectGolden(decoder->forward(pyramid), 2e-6);
}

// Group norms of small values enlarge rounding errors about a hundredfold.
TEST(MsDeformAttnPixelDecoderTest, MatchesAnotherImplementationInFloat) {
  const auto decoder = SmallDecoder();
  ExpectGolden(decoder->forward(SmallPyramid(at::kFloat)), 2e-4);
  const c10::InferenceMode inference;
  ExpectGolden(decoder->forward(SmallPyramid(at::kFloat)), 2e-4);
}

TEST(MsDeformAttnPixelDecoderTest, GradientsMatchAnotherImplementation) {
  const auto decoder = SmallDecoder();
  decoder->to(at::kDouble);
  FeaturePyramid pyramid = SmallPyramid(at::kDouble);
  std::map<std::string, at::Tensor> leaves;
  for (const auto& item : decoder->named_parameters()) {
    leaves[item.key()] = item.value();
  }
  for (size_t i = 0; i < pyramid.size(); ++i) {
    leaves["input." + std::to_string(i)] = pyramid[i].requires_grad_();
  }
  const PixelDecoderOutput output = decoder->forward(pyramid);
  const auto contract = [](const at::Tensor& tensor, const std::string& name) {
    return (tensor *
            ReferenceUniform(name, tensor.numel()).view(tensor.sizes()))
        .sum();
  };
  at::Tensor total = contract(output.mask_features, "mask_features");
  for (int i = 0; i < 3; ++i) {
    total = total + contract(output.levels[i], "levels." + std::to_string(i));
  }
  total.backward();
  for (const auto& [name, leaf] : leaves) {
    ASSERT_TRUE(leaf.grad().defined()) << name;
    const double expected =
        Golden().at("gradient_norms." + name).item<double>();
    EXPECT_GT(expected, 0) << name;
    EXPECT_NEAR(leaf.grad().norm().item<double>(), expected, 2e-5 * expected)
        << name;
  }
  EXPECT_EQ(leaves.size() + 4, Golden().size());
}

TEST(MsDeformAttnPixelDecoderTest, StaysInFloatUnderAutocast) {
  const auto decoder = SmallDecoder();
  const FeaturePyramid pyramid = SmallPyramid(at::kFloat);
  const PixelDecoderOutput expected = decoder->forward(pyramid);
  FeaturePyramid rounded;
  for (const at::Tensor& level : pyramid) {
    rounded.push_back(level.to(at::kBFloat16));
  }
  const PixelDecoderOutput expected_rounded =
      decoder->forward({rounded[0].to(at::kFloat), rounded[1].to(at::kFloat),
                        rounded[2].to(at::kFloat), rounded[3].to(at::kFloat)});

  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  const at::Tensor probe = at::mm(at::ones({2, 2}), at::ones({2, 2}));
  const PixelDecoderOutput output = decoder->forward(pyramid);
  const PixelDecoderOutput output_rounded = decoder->forward(rounded);
  at::autocast::set_autocast_enabled(at::kCPU, false);

  ASSERT_EQ(probe.scalar_type(), at::kBFloat16) << "autocast was not on";
  EXPECT_EQ(output.mask_features.scalar_type(), at::kFloat);
  EXPECT_THAT(output.mask_features,
              TensorNear(expected.mask_features, /*atol=*/0., /*rtol=*/0.));
  EXPECT_THAT(
      output_rounded.mask_features,
      TensorNear(expected_rounded.mask_features, /*atol=*/0., /*rtol=*/0.));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(output.levels[i],
                TensorNear(expected.levels[i], /*atol=*/0., /*rtol=*/0.));
  }
}

TEST(MsDeformAttnPixelDecoderTest, TakesMapsOfAnySize) {
  const auto decoder = SmallDecoder();
  const c10::NoGradGuard no_grad;
  // More sizes than are remembered, and the first ones again.
  for (int64_t i = 0; i < 40; ++i) {
    const int64_t height = 1 + i % 2;
    const int64_t width = 1 + i % 35;
    const PixelDecoderOutput output =
        decoder->forward({at::zeros({1, 8, 8 * height, 8 * width}),
                          at::zeros({1, 12, 4 * height, 4 * width}),
                          at::zeros({1, 20, 2 * height, 2 * width}),
                          at::zeros({1, 24, height, width})});
    ASSERT_THAT(output.mask_features.sizes(),
                ElementsAre(1, 16, 8 * height, 8 * width));
    ASSERT_THAT(output.levels[0].sizes(), ElementsAre(1, 64, height, width));
    ASSERT_THAT(output.levels[2].sizes(),
                ElementsAre(1, 64, 4 * height, 4 * width));
  }
}

TEST(MsDeformAttnPixelDecoderTest, TrainsAfterInferenceAtTheSameSize) {
  const auto decoder = SmallDecoder();
  {
    const c10::InferenceMode inference;
    decoder->forward(SmallPyramid(at::kFloat));
  }
  decoder->forward(SmallPyramid(at::kFloat)).mask_features.sum().backward();
  EXPECT_TRUE(
      decoder->named_parameters()["transformer.level_embed"].grad().defined());
}

TEST(MsDeformAttnPixelDecoderTest, NamesTheLevelWhoseShapeIsWrong) {
  const auto decoder = SmallDecoder();
  const FeaturePyramid good = SmallPyramid(at::kFloat);
  EXPECT_THAT(
      [&] {
        decoder->forward({good[0], good[1], good[2]});
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("pyramid must have 4 levels, got 3")));
  EXPECT_THAT(
      [&] {
        decoder->forward({good[0], good[1], good[1], good[3]});
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("pyramid level of stride 16 must have shape [2, 20, 4, 2], "
                    "got [2, 12, 8, 4]")));
  EXPECT_THAT(
      [&] {
        decoder->forward({good[0].narrow(2, 0, 15), good[1], good[2], good[3]});
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("pyramid level of stride 4 must have shape [2, 8, 16, 8], "
                    "got [2, 8, 15, 8]")));
}

// Bounds and biases of section 2.8 of the reference's initialisation.
TEST(MsDeformAttnPixelDecoderTest, StartsWithinTheReferencesBounds) {
  const auto decoder = *MsDeformAttnPixelDecoder::Create(
      ParseTextProtoOrDie<MsDeformAttnPixelDecoderConfig>("num_layers: 2"),
      {{256, 4}, {512, 8}, {1024, 16}, {2048, 32}});
  const auto parameters = decoder->named_parameters();
  const auto expect_uniform = [&](const std::string& name, double bound) {
    const at::Tensor& weight = parameters[name];
    const double largest = weight.abs().max().item<double>();
    EXPECT_LE(largest, bound * (1 + 1e-6)) << name;
    EXPECT_GT(largest, 0.99 * bound) << name;
    EXPECT_NEAR(weight.std().item<double>(), bound / std::sqrt(3.0),
                0.02 * bound)
        << name;
  };
  expect_uniform("input_proj.0.0.weight", std::sqrt(6.0 / (2048 + 256)));
  expect_uniform("input_proj.2.0.weight", std::sqrt(6.0 / (512 + 256)));
  expect_uniform("adapter_1.weight", std::sqrt(3.0 / 256));
  expect_uniform("layer_1.weight", std::sqrt(3.0 / (9 * 256)));
  expect_uniform("mask_features.weight", std::sqrt(3.0 / 256));
  for (const char* name :
       {"input_proj.0.0.bias", "input_proj.1.0.bias", "input_proj.0.1.bias",
        "adapter_1.norm.bias", "layer_1.norm.bias", "mask_features.bias"}) {
    EXPECT_EQ(parameters[name].abs().max().item<float>(), 0) << name;
  }
  for (const char* name : {"input_proj.0.1.weight", "adapter_1.norm.weight",
                           "layer_1.norm.weight"}) {
    EXPECT_TRUE(at::equal(parameters[name], at::ones({256}))) << name;
  }
}

}  // namespace
}  // namespace mask2former
