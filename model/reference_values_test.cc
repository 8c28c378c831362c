// The assembled R50 model against the official code: features, all ten
// predictions, semantic scores (evaluation mode) and losses, assignments and
// gradients (training), for weights and images that anyone can compute.
//
// The expected numbers were printed by the official Python model on a CPU in
// float32. With another convolution library its features moved by up to 2e-5
// and its mask logits by 4e-5; tolerances are a few times that.

#include "mask2former/common/testing/reference_values.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/container/sequential.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mask2former/common/layers/conv_norm.h"
#include "mask2former/common/layers/sine_position_embedding.h"
#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/semantic_inference.h"
#include "mask2former/pixel_decoder/deformable_encoder.h"
#include "mask2former/pixel_decoder/ms_deform_attn.h"

namespace mask2former {
namespace {

// mean, mean of absolute values, first, middle, last element.
using Expected = std::vector<double>;

void ExpectStatistics(const std::string& name, const at::Tensor& tensor,
                      const Expected& expected, double tolerance) {
  const std::vector<double> actual = Statistics(tensor);
  const char* const kParts[] = {"mean", "mean of absolute values", "first",
                                "middle", "last"};
  for (int i = 0; i < 5; ++i) {
    // The expected numbers have five or six decimals.
    EXPECT_NEAR(actual[i], expected[i], tolerance) << name << ", " << kParts[i];
  }
}

std::shared_ptr<Segmentor> R50() {
  auto segmentor = BuildSegmentor(ParseTextProtoOrDie<ModelConfig>(R"pb(
    backbone { resnet {} }
    pixel_decoder { ms_deform_attn {} }
    transformer_decoder { masked_attention {} }
  )pb"));
  EXPECT_THAT(segmentor, IsOk());
  FillWithReferenceValues(**segmentor, "s29:");
  return *segmentor;
}

class R50EvaluationTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    c10::NoGradGuard no_grad;
    model_ = R50();
    model_->eval();
    input_ = model_->Prepare({ReferenceImage("image0", 90, 150)});
    pyramid_ = model_->backbone()->forward(input_.images);
    pixels_ = model_->pixel_decoder()->forward(pyramid_);
    predictions_ = model_->transformer_decoder()->forward(
        pixels_.levels, pixels_.mask_features);
  }
  static void TearDownTestSuite() {
    model_.reset();
    pyramid_.clear();
    pixels_ = {};
    predictions_.clear();
  }

  static inline std::shared_ptr<Segmentor> model_;
  static inline PreparedImages input_;
  static inline FeaturePyramid pyramid_;
  static inline PixelDecoderOutput pixels_;
  static inline std::vector<MaskPrediction> predictions_;
};

TEST_F(R50EvaluationTest, HasTheOfficialParameters) {
  int64_t count = 0;
  for (const at::Tensor& parameter : model_->parameters()) {
    count += parameter.numel();
  }
  EXPECT_EQ(count, 44007700);
  const auto parameters = model_->named_parameters();
  EXPECT_EQ(parameters.size(), 451);
  // All but criterion.empty_weight.
  EXPECT_EQ(parameters.size() + model_->named_buffers().size(), 610);
  ExpectStatistics("stem.conv1.weight",
                   parameters["backbone.stem.conv1.weight"],
                   {0.000356, 0.070842, -0.10848, -0.06987, 0.02617}, 6e-6);
  ExpectStatistics(
      "sampling_offsets.bias",
      parameters["sem_seg_head.pixel_decoder.transformer.encoder.layers.0.self_"
                 "attn.sampling_offsets.bias"],
      {-0.045024, 2.038848, 1.24850, 1.86050, -0.30850}, 6e-6);
  ExpectStatistics(
      "linear2.weight",
      parameters
          ["sem_seg_head.predictor.transformer_ffn_layers.0.linear2.weight"],
      {0.000004, 0.004788, 0.00317, -0.00860, -0.00855}, 6e-6);
}

TEST_F(R50EvaluationTest, PreparesTheImage) {
  ASSERT_EQ(input_.images.sizes(), (std::vector<int64_t>{1, 3, 96, 160}));
  EXPECT_EQ(input_.sizes[0].height, 90);
  EXPECT_EQ(input_.sizes[0].width, 150);
  ExpectStatistics("padded input", input_.images,
                   {0.193541, 0.987802, 0.15969, -0.33753, 0}, 6e-6);
}

TEST_F(R50EvaluationTest, BackboneEqualsTheReference) {
  ExpectStatistics("res2", pyramid_[0],
                   {1.331065, 1.331065, 0.37797, 0, 0.11138}, 8e-5);
  ExpectStatistics("res3", pyramid_[1],
                   {1.592728, 1.592728, 2.64257, 1.10510, 0.97399}, 8e-5);
  ExpectStatistics("res4", pyramid_[2],
                   {2.509173, 2.509173, 0.55179, 2.51427, 0.44734}, 8e-5);
  ExpectStatistics("res5", pyramid_[3],
                   {2.391505, 2.391505, 2.41436, 0, 0.19636}, 8e-5);
}

TEST_F(R50EvaluationTest, PixelDecoderEqualsTheReference) {
  ExpectStatistics("multi-scale 0", pixels_.levels[0],
                   {-0.000788, 0.780755, 0.18484, 0.09068, 1.82395}, 8e-5);
  ExpectStatistics("multi-scale 1", pixels_.levels[1],
                   {0.001635, 0.772020, 0.15496, -1.01217, 0.63327}, 8e-5);
  ExpectStatistics("multi-scale 2", pixels_.levels[2],
                   {-0.003496, 0.789940, 0.91763, 0.21131, 0.62715}, 8e-5);
  ExpectStatistics("mask_features", pixels_.mask_features,
                   {-0.001436, 0.565600, 0.50027, -0.42908, -0.31615}, 8e-5);
}

// Inside the pixel decoder, reached through the names of its modules.
class R50PixelDecoderTest : public R50EvaluationTest {
 protected:
  template <typename Module>
  static std::shared_ptr<Module> Inside(const std::string& name) {
    auto module = std::dynamic_pointer_cast<Module>(
        model_->named_modules()["sem_seg_head.pixel_decoder." + name]);
    EXPECT_NE(module, nullptr) << name;
    return module;
  }

  // L maps [1, C, H, W] -> [1, S, C]
  static at::Tensor Flatten(const std::vector<at::Tensor>& maps) {
    std::vector<at::Tensor> rows;
    for (const at::Tensor& map : maps) {
      rows.push_back(map.flatten(2).transpose(1, 2));
    }
    return at::cat(rows, 1);
  }

  static std::vector<at::Tensor> Projections() {
    std::vector<at::Tensor> maps;
    for (int i = 0; i < 3; ++i) {
      maps.push_back(
          Inside<torch::nn::SequentialImpl>("input_proj." + std::to_string(i))
              ->forward(pyramid_[3 - i]));
    }
    return maps;
  }

  static std::vector<at::Tensor> Positions(
      const std::vector<at::Tensor>& maps) {
    std::vector<at::Tensor> positions;
    for (const at::Tensor& map : maps) {
      positions.push_back(
          SinePositionEmbedding(map.size(2), map.size(3), 256, map.options()));
    }
    return positions;
  }

  c10::NoGradGuard no_grad_;
};

TEST_F(R50PixelDecoderTest, InputProjectionsEqualTheReference) {
  const std::vector<at::Tensor> maps = Projections();
  ExpectStatistics("input_proj.0", maps[0],
                   {-0.000059, 0.801588, 0.53835, -0.10351, 1.84174}, 8e-5);
  ExpectStatistics("input_proj.2", maps[2],
                   {0.003335, 0.799644, 0.50819, -0.37059, 0.31165}, 8e-5);
}

TEST_F(R50PixelDecoderTest, DeformableAttentionEqualsTheReference) {
  const std::vector<at::Tensor> maps = Projections();
  const std::vector<at::Tensor> sines = Positions(maps);
  const at::Tensor level_embedding =
      model_->named_parameters()
          ["sem_seg_head.pixel_decoder.transformer.level_embed"];
  std::vector<at::Tensor> positions, references;
  std::vector<int64_t> shapes;
  for (int l = 0; l < 3; ++l) {
    const int64_t h = maps[l].size(2), w = maps[l].size(3);
    positions.push_back(sines[l] + level_embedding[l].view({1, 256, 1, 1}));
    const at::Tensor y = ((at::arange(h, at::kFloat) + 0.5) / h).view({h, 1});
    const at::Tensor x = ((at::arange(w, at::kFloat) + 0.5) / w).view({1, w});
    references.push_back(
        at::stack({x.expand({h, w}), y.expand({h, w})}, -1).view({1, -1, 2}));
    shapes.insert(shapes.end(), {h, w});
  }
  const at::Tensor source = Flatten(maps);
  const at::Tensor reference_points =
      at::cat(references, 1).unsqueeze(2).expand({1, -1, 3, 2});
  const at::Tensor output =
      Inside<MsDeformAttn>("transformer.encoder.layers.0.self_attn")
          ->forward(source + Flatten(positions), reference_points, source,
                    shapes);
  ASSERT_EQ(output.sizes(), (std::vector<int64_t>{1, 315, 256}));
  ExpectStatistics("encoder layer 0 self_attn", output,
                   {-0.002566, 0.084337, -0.07854, -0.19947, -0.01261}, 8e-5);
}

TEST_F(R50PixelDecoderTest, EncoderLayersEqualTheReference) {
  // An encoder that ends after the first layer.
  DeformableEncoderOptions options;
  options.num_layers = 1;
  DeformableEncoder first(options);
  std::map<std::string, at::Tensor> weights;
  const auto all = Inside<DeformableEncoder>("transformer")->named_parameters();
  for (const auto& item : all) weights[item.key()] = item.value();
  for (auto& item : first.named_parameters()) {
    item.value().copy_(weights.at(item.key()));
  }
  first.eval();
  const std::vector<at::Tensor> maps = Projections();
  ExpectStatistics("encoder layer 0",
                   Flatten(first.forward(maps, Positions(maps))),
                   {-0.001455, 0.810912, 0.84717, -1.85727, 0.49896}, 8e-5);
  ExpectStatistics("encoder layer 5", Flatten(pixels_.levels),
                   {-0.002390, 0.786089, 0.18484, -0.76978, 0.62715}, 8e-5);
}

TEST_F(R50PixelDecoderTest, FpnTailEqualsTheReference) {
  const at::Tensor lateral =
      Inside<ConvNorm>("adapter_1")->forward(pyramid_[0]);
  ExpectStatistics("adapter_1", lateral,
                   {-0.000214, 0.823251, -0.22898, 0.18401, -0.20345}, 8e-5);
  const at::Tensor up = at::upsample_bilinear2d(
      pixels_.levels[2], {lateral.size(2), lateral.size(3)}, false);
  ExpectStatistics("layer_1",
                   Inside<ConvNorm>("layer_1")->forward(lateral + up),
                   {0.408967, 0.408967, 0.60081, 0, 0.04889}, 8e-5);
}

struct ExpectedPrediction {
  Expected logits;
  Expected masks;
  int64_t blocked;       // Entries that the next layer may not attend to.
  int64_t blocked_rows;  // Queries with nothing left to attend to.
};

const std::vector<ExpectedPrediction>& ExpectedPredictions() {
  static const auto& predictions = *new std::vector<ExpectedPrediction>{
      {{-0.031768, 0.782746, -0.89680, -1.07533, 1.33770},
       {1.109269, 3.329226, -2.37209, -4.38391, 1.77150},
       483,
       10},
      {{-0.093869, 0.752174, -1.31572, -1.50413, 0.67904},
       {0.125594, 3.000563, -0.74760, -4.57322, 1.84809},
       2832,
       14},
      {{-0.210471, 0.770278, -1.86486, -1.78872, 1.13436},
       {0.845498, 3.096478, -0.74931, -4.78416, 3.59427},
       9694,
       4},
      {{-0.106492, 0.855055, -1.24256, -1.07761, 1.72005},
       {-0.453190, 2.917055, -0.90254, -6.46502, 0.66622},
       716,
       15},
      {{-0.114826, 0.837512, -0.28410, -0.32714, 2.14056},
       {0.624230, 2.926914, -1.31559, -6.89157, 1.95661},
       2344,
       8},
      {{-0.197028, 0.898393, -0.80806, -0.58517, 2.49413},
       {1.772828, 3.148221, 1.61220, -5.38289, 3.29928},
       6427,
       2},
      {{-0.102639, 0.842174, -0.66210, 0.01076, 2.67951},
       {-0.111037, 2.609652, -1.10935, -5.64498, 2.14372},
       655,
       11},
      {{-0.232626, 0.838481, -1.21713, -0.65244, 2.69795},
       {0.891167, 2.691281, -2.64703, -9.28481, 1.53901},
       1799,
       3},
      {{-0.342671, 0.922168, -1.76302, -1.32573, 2.79691},
       {2.674156, 3.369986, -1.64949, -6.02435, 2.19327},
       3660,
       0},
      {{-0.263113, 0.786056, -1.57852, -1.14320, 1.91655},
       {0.046301, 2.324275, -3.70131, -7.20076, 0.16769},
       591,
       6}};
  return predictions;
}

TEST_F(R50EvaluationTest, AllTenPredictionsEqualTheReference) {
  ASSERT_EQ(predictions_.size(), 10);
  for (int i = 0; i < 10; ++i) {
    const std::string name = "prediction " + std::to_string(i);
    const ExpectedPrediction& expected = ExpectedPredictions()[i];
    ExpectStatistics(name + " logits", predictions_[i].class_logits,
                     expected.logits, 2e-4);
    ExpectStatistics(name + " masks", predictions_[i].mask_logits,
                     expected.masks, 2e-4);
  }
}

TEST_F(R50EvaluationTest, AttentionMasksEqualTheReference) {
  for (int i = 0; i < 10; ++i) {
    const at::Tensor& level = pixels_.levels[i % 3];
    const at::Tensor blocked =
        at::upsample_bilinear2d(predictions_[i].mask_logits,
                                {level.size(2), level.size(3)}, false)
            .sigmoid()
            .lt(0.5)
            .flatten(2);
    EXPECT_EQ(blocked.sum().item<int64_t>(), ExpectedPredictions()[i].blocked)
        << "prediction " << i;
    EXPECT_EQ(blocked.all(-1).sum().item<int64_t>(),
              ExpectedPredictions()[i].blocked_rows)
        << "prediction " << i;
  }
}

TEST_F(R50EvaluationTest, SemanticScoresEqualTheReference) {
  const at::Tensor scores = SemanticInference(predictions_.back(), 0, {96, 160},
                                              input_.sizes[0], {45, 75});
  ASSERT_EQ(scores.sizes(), (std::vector<int64_t>{19, 45, 75}));
  ExpectStatistics("sem_seg", scores,
                   {2.136791, 2.136791, 0.05311, 4.29464, 0.86517}, 2e-4);
}

TEST_F(R50EvaluationTest, ShrunkMaskFeaturesGiveTheSamePrediction) {
  c10::NoGradGuard no_grad;
  const MaskPrediction quick = model_->PredictFinal(input_.images, true);
  ExpectStatistics("final logits", quick.class_logits,
                   ExpectedPredictions()[9].logits, 2e-4);
  ExpectStatistics("final masks", quick.mask_logits,
                   ExpectedPredictions()[9].masks, 2e-4);
}

}  // namespace
}  // namespace mask2former
