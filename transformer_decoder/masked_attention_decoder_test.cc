#include "mask2former/transformer_decoder/masked_attention_decoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/transformer_decoder/attention_mask.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr int64_t kBatch = 2;
constexpr int64_t kMaskChannels = 12;
constexpr int64_t kClasses = 3;
constexpr int64_t kSizes[3][2] = {{2, 3}, {4, 6}, {8, 12}};

std::shared_ptr<MaskedAttentionDecoder> Make(const std::string& text,
                                             int64_t in_channels,
                                             int64_t mask_channels,
                                             int64_t num_classes) {
  return MaskedAttentionDecoder::Create(
             ParseTextProtoOrDie<MaskedAttentionDecoderConfig>(text),
             in_channels, mask_channels, num_classes)
      .value();
}

std::shared_ptr<MaskedAttentionDecoder> MakeSmall(int64_t in_channels,
                                                  bool pre_norm) {
  const auto decoder = Make(
      "num_queries: 7 channels: 16 num_heads: 4 feedforward_channels: 24 "
      "num_layers: 5 pre_norm: " +
          std::string(pre_norm ? "true" : "false"),
      in_channels, kMaskChannels, kClasses);
  FillWithReferenceValues(*decoder, "decoder:");
  return decoder;
}

// In (-scale, scale).
torch::Tensor Values(const std::string& name, at::IntArrayRef sizes,
                     double scale) {
  return (scale *
          (2 * ReferenceUniform(name, c10::multiply_integers(sizes)) - 1))
      .to(torch::kFloat)
      .view(sizes);
}

std::vector<torch::Tensor> Levels(int64_t in_channels) {
  std::vector<torch::Tensor> levels;
  for (int i = 0; i < 3; ++i) {
    levels.push_back(Values("level" + std::to_string(i),
                            {kBatch, in_channels, kSizes[i][0], kSizes[i][1]},
                            std::sqrt(3.0)));
  }
  return levels;
}

torch::Tensor MaskFeatures() {
  return Values("mask_features", {kBatch, kMaskChannels, 16, 24},
                std::sqrt(3.0)) +
         2 * Values("mask_shift", {kBatch, kMaskChannels, 1, 1},
                    std::sqrt(3.0));
}

void ExpectStatistics(const torch::Tensor& tensor, const std::string& name,
                      const std::vector<double>& expected) {
  const std::vector<double> actual = Statistics(tensor);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 3e-5) << name << ", entry " << i;
  }
}

// The sum of all outputs, each times a reference value.
torch::Tensor WeightedSum(const std::vector<MaskPrediction>& predictions) {
  torch::Tensor sum = at::zeros({});
  for (size_t i = 0; i < predictions.size(); ++i) {
    const MaskPrediction& p = predictions[i];
    sum = sum +
          (p.class_logits * Values("class_gradient" + std::to_string(i),
                                   p.class_logits.sizes(), 1))
              .sum() +
          (p.mask_logits * Values("mask_gradient" + std::to_string(i),
                                  p.mask_logits.sizes(), 1))
              .sum();
  }
  return sum;
}

void ExpectGradientNorms(MaskedAttentionDecoder& decoder,
                         const std::map<std::string, double>& expected) {
  const auto parameters = decoder.named_parameters();
  for (const auto& [name, norm] : expected) {
    EXPECT_NEAR(parameters[name].grad().norm().item<double>() / norm, 1, 2e-4)
        << name;
  }
}

// Expected values are printed by tools/goldens/transformer_decoder.py.
struct Row {
  std::vector<double> classes, masks;
  int64_t blocked, full_rows;
};

TEST(MaskedAttentionDecoderTest, MatchesAnIndependentImplementation) {
  const std::vector<Row> expected = {
      {{-0.392372, 0.699914, 0.437442, 0.437442, -0.150179},
       {-0.392152, 2.023934, -3.894951, -2.017168, 5.544521},
       49,
       7},
      {{-0.342647, 0.713142, 0.515427, 0.543835, 0.287307},
       {-0.205344, 2.032645, -2.499408, -2.806845, 6.161138},
       170,
       4},
      {{-0.134790, 0.802370, 1.090864, 0.941943, 0.361525},
       {-0.369657, 1.848137, -3.018551, -2.012575, 3.367796},
       691,
       4},
      {{-0.140032, 0.726174, 0.797408, 0.867666, -0.068159},
       {-0.042191, 1.941017, -2.706041, -1.023115, 6.501498},
       45,
       6},
      {{0.004511, 0.742679, 1.034936, 1.050968, 0.424841},
       {0.002794, 1.704120, -3.025612, -0.987037, 6.288722},
       144,
       3},
      {{0.212386, 0.643200, 0.876095, 1.564478, 0.455393},
       {0.432117, 1.638963, -0.275740, 1.301638, 4.353472},
       410,
       3},
  };
  const auto decoder = MakeSmall(16, /*pre_norm=*/false);
  const std::vector<MaskPrediction> predictions =
      decoder->forward(Levels(16), MaskFeatures());
  ASSERT_EQ(predictions.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    const std::string number = std::to_string(i);
    ExpectStatistics(predictions[i].class_logits, "classes " + number,
                     expected[i].classes);
    ExpectStatistics(predictions[i].mask_logits, "masks " + number,
                     expected[i].masks);
    const torch::Tensor blocked = BlockedCells(
        predictions[i].mask_logits, kSizes[i % 3][0], kSizes[i % 3][1]);
    EXPECT_EQ(blocked.sum().item<int64_t>(), expected[i].blocked) << i;
    EXPECT_EQ(blocked.all(2).sum().item<int64_t>(), expected[i].full_rows) << i;
  }
  const torch::Tensor sum = WeightedSum(predictions);
  EXPECT_NEAR(sum.item<double>(), -336.56836, 5e-3);
  sum.backward();
  ExpectGradientNorms(
      *decoder,
      {{"query_feat.weight", 441.6618},
       {"query_embed.weight", 112.7105},
       {"level_embed.weight", 125.6055},
       {"decoder_norm.weight", 311.8268},
       {"class_embed.weight", 41.5016},
       {"mask_embed.layers.0.weight", 1389.0881},
       {"mask_embed.layers.2.bias", 625.8974},
       {"transformer_cross_attention_layers.0.multihead_attn.in_proj_weight",
        597.8209},
       {"transformer_cross_attention_layers.4.multihead_attn.in_proj_bias",
        32.3109},
       {"transformer_cross_attention_layers.2.norm.weight", 192.4138},
       {"transformer_self_attention_layers.0.self_attn.in_proj_weight",
        298.7000},
       {"transformer_self_attention_layers.3.self_attn.out_proj.weight",
        435.4840},
       {"transformer_ffn_layers.1.linear1.weight", 150.6203},
       {"transformer_ffn_layers.4.linear2.weight", 381.5802}});
}

TEST(MaskedAttentionDecoderTest, ProjectsLevelsOfOtherChannels) {
  const auto decoder = MakeSmall(20, /*pre_norm=*/false);
  const std::vector<MaskPrediction> predictions =
      decoder->forward(Levels(20), MaskFeatures());
  ExpectStatistics(predictions[5].class_logits, "classes",
                   {0.102412, 0.672616, 1.227832, 1.525681, 0.356520});
  ExpectStatistics(predictions[5].mask_logits, "masks",
                   {0.039915, 1.454430, -2.611892, -0.097996, 2.272785});
  const torch::Tensor sum = WeightedSum(predictions);
  EXPECT_NEAR(sum.item<double>(), -247.07834, 5e-3);
  sum.backward();
  ExpectGradientNorms(*decoder, {{"input_proj.0.weight", 345.1935},
                                 {"input_proj.2.bias", 48.2044},
                                 {"level_embed.weight", 98.6012}});
}

TEST(MaskedAttentionDecoderTest, NormalizesFirstIfAsked) {
  const auto decoder = MakeSmall(16, /*pre_norm=*/true);
  const std::vector<MaskPrediction> predictions =
      decoder->forward(Levels(16), MaskFeatures());
  ExpectStatistics(predictions[5].class_logits, "classes",
                   {0.171225, 0.728222, 0.739828, 1.287775, 0.325259});
  ExpectStatistics(predictions[5].mask_logits, "masks",
                   {0.393574, 1.756127, 0.533666, -1.644177, 2.760916});
  const torch::Tensor sum = WeightedSum(predictions);
  EXPECT_NEAR(sum.item<double>(), -441.01233, 5e-3);
  sum.backward();
  ExpectGradientNorms(
      *decoder, {{"query_feat.weight", 428.9470},
                 {"transformer_cross_attention_layers.2.norm.weight", 18.3246},
                 {"transformer_ffn_layers.4.linear2.weight", 293.2679}});
}

TEST(MaskedAttentionDecoderTest, PredictFinalEqualsTheLastPrediction) {
  for (const int64_t in_channels : {16, 20}) {
    const auto decoder = MakeSmall(in_channels, /*pre_norm=*/false);
    decoder->eval();
    const MaskPrediction expected =
        decoder->forward(Levels(in_channels), MaskFeatures()).back();
    const auto expect_equal = [&] {
      const MaskPrediction actual =
          decoder->PredictFinal(Levels(in_channels), MaskFeatures());
      EXPECT_THAT(actual.class_logits,
                  TensorNear(expected.class_logits, 3e-5, 1e-5));
      EXPECT_THAT(actual.mask_logits,
                  TensorNear(expected.mask_logits, 3e-5, 1e-5));
    };
    expect_equal();
    const torch::NoGradGuard no_grad;
    expect_equal();
  }
}

TEST(MaskedAttentionDecoderTest, GradientReachesEveryParameter) {
  const auto decoder = MakeSmall(20, /*pre_norm=*/false);
  WeightedSum(decoder->forward(Levels(20), MaskFeatures())).backward();
  for (const auto& item : decoder->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().sum().item<float>(), 0) << item.key();
  }
}

// The batch's images do not see each other.
TEST(MaskedAttentionDecoderTest, TreatsImagesOnTheirOwn) {
  const auto decoder = MakeSmall(16, /*pre_norm=*/false);
  const MaskPrediction both =
      decoder->forward(Levels(16), MaskFeatures()).back();
  std::vector<torch::Tensor> second;
  for (const torch::Tensor& level : Levels(16)) {
    second.push_back(level.narrow(0, 1, 1));
  }
  const MaskPrediction alone =
      decoder->forward(second, MaskFeatures().narrow(0, 1, 1)).back();
  EXPECT_THAT(alone.class_logits,
              TensorNear(both.class_logits.narrow(0, 1, 1), 2e-5, 1e-5));
  EXPECT_THAT(alone.mask_logits,
              TensorNear(both.mask_logits.narrow(0, 1, 1), 2e-5, 1e-5));
}

TEST(MaskedAttentionDecoderTest, NamesAndShapesAreThePublishedOnes) {
  std::map<std::string, std::vector<int64_t>> expected;
  const auto expect_pair = [&](const std::string& name,
                               const std::vector<int64_t>& weight) {
    expected[name + ".weight"] = weight;
    expected[name + ".bias"] = {weight[0]};
  };
  for (int i = 0; i < 9; ++i) {
    for (const auto& [layer, attention] :
         {std::pair("self", "self_attn"),
          std::pair("cross", "multihead_attn")}) {
      const std::string prefix = std::string("transformer_") + layer +
                                 "_attention_layers." + std::to_string(i);
      expected[prefix + "." + attention + ".in_proj_weight"] = {768, 256};
      expected[prefix + "." + attention + ".in_proj_bias"] = {768};
      expect_pair(prefix + "." + attention + ".out_proj", {256, 256});
      expect_pair(prefix + ".norm", {256});
    }
    const std::string prefix = "transformer_ffn_layers." + std::to_string(i);
    expect_pair(prefix + ".linear1", {2048, 256});
    expect_pair(prefix + ".linear2", {256, 2048});
    expect_pair(prefix + ".norm", {256});
  }
  expect_pair("decoder_norm", {256});
  expected["query_feat.weight"] = {100, 256};
  expected["query_embed.weight"] = {100, 256};
  expected["level_embed.weight"] = {3, 256};
  expect_pair("class_embed", {20, 256});
  for (int i = 0; i < 3; ++i) {
    expect_pair("mask_embed.layers." + std::to_string(i), {256, 256});
  }
  EXPECT_EQ(expected.size(), 175u);  // Of the published state.

  const auto decoder = Make("", 256, 256, 19);
  std::map<std::string, std::vector<int64_t>> actual;
  for (const auto& item : decoder->named_parameters()) {
    actual[item.key()] = item.value().sizes().vec();
  }
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(decoder->buffers().size(), 0u);
}

TEST(MaskedAttentionDecoderTest, StartsAsThePublishedModel) {
  torch::manual_seed(1);
  const auto decoder = Make("num_layers: 1", 128, 256, 19);
  const auto p = decoder->named_parameters();
  const auto largest = [&](const std::string& name) {
    return p[name].abs().max().item<double>();
  };
  EXPECT_NEAR(largest("transformer_ffn_layers.0.linear1.weight"),
              std::sqrt(6. / (2048 + 256)), 1e-4);
  EXPECT_NEAR(largest("transformer_ffn_layers.0.linear1.bias"), 1. / 16, 1e-3);
  EXPECT_NEAR(largest("class_embed.weight"), 1. / 16, 1e-3);
  EXPECT_NEAR(largest("input_proj.1.weight"), std::sqrt(3. / 128), 1e-3);
  EXPECT_EQ(largest("input_proj.1.bias"), 0);
  for (const char* name : {"query_feat.weight", "query_embed.weight"}) {
    EXPECT_NEAR(p[name].std().item<double>(), 1, 0.03) << name;
  }
  EXPECT_EQ(p["decoder_norm.weight"].min().item<double>(), 1);
}

TEST(MaskedAttentionDecoderTest, RejectsWhatDoesNotFit) {
  const auto decoder = MakeSmall(16, /*pre_norm=*/false);
  std::vector<torch::Tensor> levels = Levels(16);
  EXPECT_THAT(
      [&] {
        decoder->forward({levels[0], levels[1]}, MaskFeatures());
      },
      ThrowsMessage<c10::Error>(HasSubstr("levels must be 3 maps, got 2")));
  EXPECT_THAT([&] { decoder->forward(Levels(20), MaskFeatures()); },
              ThrowsMessage<c10::Error>(
                  HasSubstr("level must have shape [2, 16, *, *]")));
  EXPECT_THAT(
      [&] {
        decoder->PredictFinal(levels, at::zeros({2, 16, 16, 24}));
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("mask_features must have shape [*, 12, *, *]")));
}

}  // namespace
}  // namespace mask2former
