#include "mask2former/backbone/swin.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "mask2former/common/safetensors.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr char kBase[] =
    "embed_channels: 128 depths: [ 2, 2, 18, 2 ] num_heads: [ 4, 8, 16, 32 ] "
    "window_size: 12";
constexpr char kSmall[] =
    "embed_channels: 24 depths: [ 1, 2, 1, 2 ] num_heads: [ 1, 2, 3, 4 ] "
    "window_size: 5";

std::shared_ptr<Swin> Make(const std::string& text) {
  return Swin::Create(ParseTextProtoOrDie<SwinConfig>(text)).value();
}

// As in tools/goldens/swin.py.
std::shared_ptr<Swin> MakeReference(const std::string& text) {
  const auto swin = Make(text);
  FillWithReferenceValues(*swin, "s2:", "backbone.");
  return swin;
}

torch::Tensor Values(const std::string& name, at::IntArrayRef sizes) {
  return ReferenceUniform(name, c10::multiply_integers(sizes)).view(sizes);
}

const std::map<std::string, torch::Tensor>& Golden() {
  static const auto& golden = *new std::map<std::string, torch::Tensor>(
      ReadSafetensors("backbone/testdata/swin.safetensors").value().tensors);
  return golden;
}

// Mean, mean of absolute values, first, middle and last element.
void ExpectStatistics(const torch::Tensor& tensor, const char* name,
                      const std::vector<double>& expected) {
  const std::vector<double> actual = Statistics(tensor);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 5e-5) << name << ", entry " << i;
  }
}

template <typename Module>
Module& Inside(const Swin& swin, const std::string& name) {
  return *swin.named_modules()[name]->as<Module>();
}

// Outputs of the published implementation on reference weights.
TEST(SwinTest, ReproducesTheReference) {
  const torch::NoGradGuard no_grad;
  const auto swin = MakeReference("");
  swin->eval();
  const torch::Tensor mean = at::tensor({123.675f, 116.28f, 103.53f});
  const torch::Tensor deviation = at::tensor({58.395f, 57.12f, 57.375f});
  const torch::Tensor image =
      (ReferenceImage("image0", 90, 150).to(torch::kFloat) -
       mean.view({3, 1, 1})) /
      deviation.view({3, 1, 1});
  const torch::Tensor input =
      at::constant_pad_nd(image, {0, 10, 0, 6}).unsqueeze(0);

  torch::Tensor x = Inside<PatchEmbedding>(*swin, "patch_embed").forward(input);
  ExpectStatistics(x.permute({0, 3, 1, 2}), "patch_embed",
                   {0.002118, 0.820137, 1.48684, 0.30220, -0.53647});
  x = Inside<SwinBlock>(*swin, "layers.0.blocks.0").forward(x);
  ExpectStatistics(x, "layers.0.blocks.0",
                   {0.068603, 1.003201, 2.20581, -0.89710, -0.55002});
  x = Inside<SwinBlock>(*swin, "layers.0.blocks.1").forward(x);
  ExpectStatistics(x, "layers.0.blocks.1",
                   {0.177300, 1.168203, 2.34218, 0.36993, 0.19395});
  x = Inside<PatchMerging>(*swin, "layers.0.downsample").forward(x);
  ExpectStatistics(x, "layers.0.downsample",
                   {-0.037226, 0.805477, 0.97928, 1.04079, 2.41566});

  const FeaturePyramid pyramid = swin->forward(input);
  ASSERT_EQ(pyramid.size(), 4u);
  EXPECT_THAT(pyramid[0].sizes(), ElementsAre(1, 96, 24, 40));
  EXPECT_THAT(pyramid[1].sizes(), ElementsAre(1, 192, 12, 20));
  EXPECT_THAT(pyramid[2].sizes(), ElementsAre(1, 384, 6, 10));
  EXPECT_THAT(pyramid[3].sizes(), ElementsAre(1, 768, 3, 5));
  ExpectStatistics(pyramid[0], "res2",
                   {0.002470, 0.801130, 1.55266, 0.43091, -0.11120});
  ExpectStatistics(pyramid[1], "res3",
                   {-0.003936, 0.800047, 0.28532, -1.90191, -0.18202});
  ExpectStatistics(pyramid[2], "res4",
                   {0.002907, 0.796542, 0.32725, 0.18550, -1.78194});
  ExpectStatistics(pyramid[3], "res5",
                   {-0.004048, 0.803964, 0.83365, 2.01398, -0.14200});
}

struct GoldenCase {
  const char* name;
  const char* config;
  const char* input;
  std::vector<int64_t> sizes;
  int64_t step;
};

class SwinGoldenTest : public testing::TestWithParam<GoldenCase> {
 protected:
  void ExpectGolden(const FeaturePyramid& pyramid, double tolerance) {
    ASSERT_EQ(pyramid.size(), 4u);
    for (int i = 0; i < 4; ++i) {
      const std::string name =
          std::string(GetParam().name) + ".res" + std::to_string(i + 2);
      EXPECT_THAT(
          pyramid[i].flatten().slice(0, 0, std::nullopt, GetParam().step),
          TensorNear(Golden().at(name), tolerance, 0.))
          << name;
    }
  }
};

// Two implementations in double leave rounding only.
TEST_P(SwinGoldenTest, EqualsHuggingFaceInFloatAndInDouble) {
  const torch::NoGradGuard no_grad;
  const auto swin = MakeReference(GetParam().config);
  swin->eval();
  const torch::Tensor input =
      2 * Values(GetParam().input, GetParam().sizes) - 1;
  ExpectGolden(swin->forward(input.to(torch::kFloat)), 1e-4);
  swin->to(torch::kDouble);
  ExpectGolden(swin->forward(input), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(
    Networks, SwinGoldenTest,
    testing::Values(GoldenCase{"tiny", "", "odd", {1, 3, 70, 101}, 101},
                    GoldenCase{"base", kBase, "base", {1, 3, 136, 200}, 101},
                    GoldenCase{"small", kSmall, "small", {2, 3, 47, 62}, 11}),
    [](const auto& info) { return info.param.name; });

TEST(SwinTest, GradientsEqualThoseOfHuggingFace) {
  for (const bool checkpoint : {false, true}) {
    const auto swin =
        MakeReference(std::string(kSmall) + " checkpoint_activations: " +
                      (checkpoint ? "true" : "false"));
    swin->to(torch::kDouble);
    swin->eval();  // No branch is dropped.
    const torch::Tensor input =
        (2 * Values("small", {2, 3, 47, 62}) - 1).requires_grad_();
    torch::Tensor total = at::zeros({}, torch::kDouble);
    const FeaturePyramid pyramid = swin->forward(input);
    for (int i = 0; i < 4; ++i) {
      total = total + (pyramid[i] * Values("res" + std::to_string(i + 2),
                                           pyramid[i].sizes()))
                          .sum();
    }
    total.backward();
    size_t compared = 0;
    const auto expect_norm = [&](const std::string& name,
                                 const torch::Tensor& gradient) {
      const double expected =
          Golden().at("small.gradient_norms." + name).item<double>();
      ASSERT_TRUE(gradient.defined()) << name;
      EXPECT_NEAR(gradient.norm().item<double>(), expected,
                  1e-9 * (1 + expected))
          << name;
      ++compared;
    };
    expect_norm("input", input.grad());
    for (const auto& item : swin->named_parameters()) {
      expect_norm(item.key(), item.value().grad());
    }
    // Of parameters: 4 of the embedding, 13 a block, 3 a merging, 8 of norms.
    EXPECT_EQ(compared, 1u + 4 + 6 * 13 + 3 * 3 + 8);
  }
}

TEST(SwinTest, NamesAndShapesAreThePublishedOnes) {
  const auto swin = Make("");
  std::map<std::string, std::vector<int64_t>> expected;
  const auto expect_norm = [&](const std::string& name, int64_t channels) {
    expected[name + ".weight"] = {channels};
    expected[name + ".bias"] = {channels};
  };
  const auto expect_linear = [&](const std::string& name, int64_t out,
                                 int64_t in) {
    expected[name + ".weight"] = {out, in};
    expected[name + ".bias"] = {out};
  };
  expected["patch_embed.proj.weight"] = {96, 3, 4, 4};
  expected["patch_embed.proj.bias"] = {96};
  expect_norm("patch_embed.norm", 96);
  const int depths[] = {2, 2, 6, 2};
  for (int i = 0; i < 4; ++i) {
    const int64_t channels = 96 << i;
    const std::string layer = "layers." + std::to_string(i);
    for (int j = 0; j < depths[i]; ++j) {
      const std::string block = layer + ".blocks." + std::to_string(j);
      expect_norm(block + ".norm1", channels);
      expect_norm(block + ".norm2", channels);
      expected[block + ".attn.relative_position_bias_table"] = {169, 3 << i};
      expected[block + ".attn.relative_position_index"] = {49, 49};
      expect_linear(block + ".attn.qkv", 3 * channels, channels);
      expect_linear(block + ".attn.proj", channels, channels);
      expect_linear(block + ".mlp.fc1", 4 * channels, channels);
      expect_linear(block + ".mlp.fc2", channels, 4 * channels);
    }
    if (i < 3) {
      expected[layer + ".downsample.reduction.weight"] = {2 * channels,
                                                          4 * channels};
      expect_norm(layer + ".downsample.norm", 4 * channels);
    }
    expect_norm("norm" + std::to_string(i), channels);
  }
  // The published Swin-T state, less the head that it has as every other.
  EXPECT_EQ(expected.size(), 482u - 117 - 175 - 1);

  std::map<std::string, std::vector<int64_t>> actual;
  for (const auto& item : swin->named_parameters()) {
    actual[item.key()] = item.value().sizes().vec();
  }
  for (const auto& item : swin->named_buffers()) {
    EXPECT_EQ(item.value().scalar_type(), torch::kLong) << item.key();
    actual[item.key()] = item.value().sizes().vec();
  }
  EXPECT_EQ(actual, expected);
}

TEST(SwinTest, CountsTheParametersOfTheLargerOnes) {
  const auto count = [](const std::string& config) {
    int64_t sum = 0;
    for (const torch::Tensor& parameter : Make(config)->parameters()) {
      sum += parameter.numel();
    }
    return sum;
  };
  EXPECT_EQ(count("depths: [ 2, 2, 18, 2 ]"), 48838602);
  EXPECT_EQ(count(kBase), 86880376);
}

TEST(SwinTest, DropsMoreBranchesTowardsTheEnd) {
  // 12 blocks: of the last, with both branches left out, only the input stays.
  torch::manual_seed(1);
  const auto swin = Make(std::string(kSmall) + " drop_path_rate: 0.9");
  const torch::Tensor images = at::randn({1, 3, 32, 32});
  const auto unchanged = [&](const std::string& name, int64_t channels) {
    SwinBlock& block = Inside<SwinBlock>(*swin, name);
    const torch::Tensor x = at::randn({400, 1, 1, channels});
    const torch::Tensor y = block.forward(x);
    return (x == y).flatten(1).all(1).sum().item<double>() / 400;
  };
  EXPECT_EQ(unchanged("layers.0.blocks.0", 24), 0);  // Probability 0.
  EXPECT_NEAR(unchanged("layers.1.blocks.1", 48), 0.36 * 0.36, 0.06);
  EXPECT_NEAR(unchanged("layers.3.blocks.1", 192), 0.81, 0.07);
}

TEST(SwinTest, CheckpointsGiveTheSameTrainingStep) {
  std::vector<std::vector<torch::Tensor>> gradients;
  for (const bool checkpoint : {false, true}) {
    const auto swin =
        MakeReference(std::string(kSmall) + " checkpoint_activations: " +
                      (checkpoint ? "true" : "false"));
    torch::manual_seed(3);
    const torch::Tensor images = at::randn({2, 3, 64, 64});
    torch::Tensor total = at::zeros({});
    for (const torch::Tensor& map : swin->forward(images)) {
      total = total + map.square().mean();
    }
    total.backward();
    gradients.emplace_back();
    for (const torch::Tensor& parameter : swin->parameters()) {
      gradients.back().push_back(parameter.grad().clone());
    }
  }
  ASSERT_EQ(gradients[0].size(), gradients[1].size());
  for (size_t i = 0; i < gradients[0].size(); ++i) {
    EXPECT_THAT(gradients[1][i], TensorNear(gradients[0][i], 0., 0.)) << i;
  }
}

TEST(SwinTest, GradientReachesEveryParameter) {
  torch::manual_seed(1);
  const auto swin = Make(std::string(kSmall) + " drop_path_rate: 0");
  torch::Tensor loss = at::zeros({});
  for (const torch::Tensor& map : swin->forward(at::randn({1, 3, 64, 64}))) {
    loss = loss + (map * at::randn(map.sizes())).sum();
  }
  loss.backward();
  for (const auto& item : swin->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().sum().item<float>(), 0) << item.key();
  }
}

TEST(SwinTest, RejectsOtherShapesAndIntegers) {
  const auto swin = Make(kSmall);
  EXPECT_THAT(
      [&] {
        swin->forward(at::zeros({1, 4, 64, 64}));
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("images must have shape [*, 3, *, *]")));
  EXPECT_THAT(
      [&] {
        swin->forward(at::zeros({1, 3, 64, 64}, torch::kByte));
      },
      ThrowsMessage<c10::Error>(HasSubstr("floating point")));
}

}  // namespace
}  // namespace mask2former
