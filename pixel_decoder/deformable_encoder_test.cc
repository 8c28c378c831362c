#include "mask2former/pixel_decoder/deformable_encoder.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

DeformableEncoderOptions SmallOptions() {
  DeformableEncoderOptions options;
  options.attention = {/*channels=*/12, /*num_levels=*/2, /*num_heads=*/3,
                       /*num_points=*/2};
  options.num_layers = 2;
  options.feedforward_channels = 7;
  return options;
}

at::Tensor Values(const std::string& name, at::IntArrayRef sizes) {
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  return (2 * ReferenceUniform(name, count) - 1).view(sizes);
}

struct Maps {
  std::vector<at::Tensor> levels = {Values("a", {2, 12, 2, 3}),
                                    Values("b", {2, 12, 4, 5})};
  std::vector<at::Tensor> positions = {Values("c", {1, 12, 2, 3}),
                                       Values("d", {1, 12, 4, 5})};
};

// One layer, spelled out: what is added where, and what the norms see.
TEST(DeformableEncoderTest, LayerIsPostNormAndPositionsEnterQueriesOnly) {
  DeformableEncoderOptions options = SmallOptions();
  options.num_layers = 1;
  DeformableEncoder encoder(options);
  FillWithReferenceValues(encoder, "encoder:");
  encoder.to(at::kDouble);
  const Maps maps;
  const auto parameters = encoder.named_parameters();
  const auto parameter = [&](const std::string& name) {
    return parameters["encoder.layers.0." + name];
  };

  const auto tokens = [](const at::Tensor& map) {
    return map.flatten(2).transpose(1, 2);
  };
  const at::Tensor x =
      at::cat({tokens(maps.levels[0]), tokens(maps.levels[1])}, 1);
  const at::Tensor& level = parameters["level_embed"];
  const at::Tensor p = at::cat({tokens(maps.positions[0]) + level[0],
                                tokens(maps.positions[1]) + level[1]},
                               1);
  MsDeformAttn attention(options.attention);
  attention.to(at::kDouble);
  {
    const c10::NoGradGuard no_grad;
    for (const auto& item : attention.named_parameters()) {
      item.value().copy_(parameter("self_attn." + item.key()));
    }
  }
  std::vector<double> centres;
  for (const auto& [height, width] :
       std::vector<std::pair<int, int>>{{2, 3}, {4, 5}}) {
    for (int i = 0; i < height * width; ++i) {
      for (int l = 0; l < 2; ++l) {
        centres.push_back((i % width + 0.5) / width);
        centres.push_back((i / width + 0.5) / height);
      }
    }
  }
  const at::Tensor a = attention.forward(
      x + p, at::tensor(centres, at::kDouble).view({1, 26, 2, 2}), x,
      {2, 3, 4, 5});
  const auto norm = [&](const at::Tensor& t, const std::string& name) {
    const at::Tensor centred = t - t.mean(-1, /*keepdim=*/true);
    return centred / (centred.square().mean(-1, true) + 1e-5).sqrt() *
               parameter(name + ".weight") +
           parameter(name + ".bias");
  };
  const auto linear = [&](const at::Tensor& t, const std::string& name) {
    return t.matmul(parameter(name + ".weight").t()) +
           parameter(name + ".bias");
  };
  const at::Tensor y = norm(x + a, "norm1");
  const at::Tensor z =
      norm(y + linear(linear(y, "linear1").clamp_min(0), "linear2"), "norm2");

  const auto expect = [&](const std::vector<at::Tensor>& result) {
    ASSERT_EQ(result.size(), 2);
    EXPECT_THAT(
        result[0],
        TensorNear(z.narrow(1, 0, 6).transpose(1, 2).reshape({2, 12, 2, 3}),
                   1e-12, 1e-12));
    EXPECT_THAT(
        result[1],
        TensorNear(z.narrow(1, 6, 20).transpose(1, 2).reshape({2, 12, 4, 5}),
                   1e-12, 1e-12));
  };
  expect(encoder.forward(maps.levels, maps.positions));
  const c10::NoGradGuard no_grad;
  expect(encoder.forward(maps.levels, maps.positions));
}

// Beyond the 256th pixel bfloat16 has no two neighbouring centres.
TEST(DeformableEncoderTest, InBFloat16ReadsWhereItDoesInFloat) {
  DeformableEncoderOptions options = SmallOptions();
  options.num_layers = 1;
  DeformableEncoder encoder(options);
  FillWithReferenceValues(encoder, "encoder:");
  const std::vector<at::Tensor> levels = {Values("wide", {1, 12, 1, 1001}),
                                          Values("high", {1, 12, 900, 1})};
  const std::vector<at::Tensor> positions = {Values("p", {1, 12, 1, 1001}),
                                             Values("q", {1, 12, 900, 1})};
  const auto run = [&](at::ScalarType type) {
    const auto convert = [type](std::vector<at::Tensor> maps) {
      for (at::Tensor& map : maps) map = map.to(at::kBFloat16).to(type);
      return maps;
    };
    encoder.to(type);
    return encoder.forward(convert(levels), convert(positions));
  };
  const c10::NoGradGuard no_grad;
  const auto half = run(at::kBFloat16), single = run(at::kFloat);
  for (int l = 0; l < 2; ++l) {
    EXPECT_EQ(half[l].scalar_type(), at::kBFloat16);
    const at::Tensor error = (half[l].to(at::kFloat) - single[l]).abs();
    EXPECT_LT(error.max().item<double>(), 0.05) << "level " << l;
  }
}

TEST(DeformableEncoderTest, LeavesItsInputsAlone) {
  DeformableEncoder encoder(SmallOptions());
  encoder.to(at::kDouble);
  const Maps maps, copies;
  const c10::NoGradGuard no_grad;
  encoder.forward(maps.levels, maps.positions);
  for (int l = 0; l < 2; ++l) {
    EXPECT_TRUE(at::equal(maps.levels[l], copies.levels[l]));
    EXPECT_TRUE(at::equal(maps.positions[l], copies.positions[l]));
  }
}

TEST(DeformableEncoderTest, OneLevelAloneKeepsItsShape) {
  DeformableEncoderOptions options = SmallOptions();
  options.attention.num_levels = 1;
  DeformableEncoder encoder(options);
  const std::vector<at::Tensor> result =
      encoder.forward({at::randn({1, 12, 1, 9})}, {at::randn({1, 12, 1, 9})});
  ASSERT_EQ(result.size(), 1);
  EXPECT_THAT(result[0].sizes(), ElementsAre(1, 12, 1, 9));
}

TEST(DeformableEncoderTest, StartsAsTheReferenceDoes) {
  DeformableEncoderOptions options;
  options.num_layers = 2;
  const DeformableEncoder encoder(options);
  const auto parameters = encoder.named_parameters();
  const at::Tensor first = parameters["encoder.layers.0.linear1.weight"];
  const at::Tensor second = parameters["encoder.layers.1.linear1.weight"];
  EXPECT_FALSE(at::equal(first, second));
  EXPECT_NEAR(first.abs().max().item<double>(), std::sqrt(6.0 / (256 + 1024)),
              1e-4);
  for (const char* name : {"linear1.bias", "linear2.bias"}) {
    const at::Tensor bias = parameters[std::string("encoder.layers.0.") + name];
    EXPECT_TRUE(
        at::equal(bias, parameters[std::string("encoder.layers.1.") + name]));
    const double bound =
        name == std::string("linear1.bias") ? 1 / 16. : 1 / 32.;
    EXPECT_LE(bias.abs().max().item<double>(), bound);
    EXPECT_GT(bias.abs().max().item<double>(), 0.95 * bound);
  }
  const at::Tensor level = parameters["level_embed"];
  EXPECT_NEAR(level.mean().item<double>(), 0, 0.2);  // 768 values, 5 sigma.
  EXPECT_NEAR(level.std().item<double>(), 1, 0.13);
}

TEST(DeformableEncoderTest, NamesWhatIsWrong) {
  DeformableEncoder encoder(SmallOptions());
  encoder.to(at::kDouble);
  const Maps maps;
  EXPECT_THAT(
      [&] { encoder.forward({maps.levels[0]}, {maps.positions[0]}); },
      ThrowsMessage<c10::Error>(HasSubstr("must hold 2 maps, got 1 and 1")));
  EXPECT_THAT(
      [&] {
        encoder.forward({maps.levels[0], maps.levels[1].narrow(1, 0, 8)},
                        maps.positions);
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("level must have shape [2, 12, *, *], got [2, 8, 4, 5]")));
  EXPECT_THAT(
      [&] {
        encoder.forward(maps.levels, {maps.positions[1], maps.positions[0]});
      },
      ThrowsMessage<c10::Error>(HasSubstr(
          "positions must have shape [*, 12, 2, 3], got [1, 12, 4, 5]")));
  DeformableEncoderOptions options = SmallOptions();
  options.num_layers = 0;
  EXPECT_THAT([&] { DeformableEncoder encoder(options); },
              ThrowsMessage<c10::Error>(HasSubstr("num_layers")));
}

}  // namespace
}  // namespace mask2former
