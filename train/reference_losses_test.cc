// One training step of the R50 model against the official code: assignments,
// all 30 loss terms, their total and gradient norms, for weights, images,
// targets and random points that anyone can compute. Batch norm in evaluation
// mode, no mixed precision.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_points.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/matcher/build_matcher.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/train/criterion/compute_losses.h"
#include "mask2former/train/criterion/loss_normalizer.h"
#include "mask2former/train/optimizer/build_optimizer.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

struct Rectangle {
  int64_t label;
  int64_t y0, y1, x0, x1;  // Half open.
};

MaskTarget MakeTarget(const std::vector<Rectangle>& rectangles) {
  MaskTarget target;
  const int64_t count = static_cast<int64_t>(rectangles.size());
  target.labels = at::zeros({count}, at::kLong);
  target.masks = at::zeros({count, 96, 160}, at::kBool);
  for (int64_t i = 0; i < count; ++i) {
    const Rectangle& r = rectangles[i];
    target.labels[i] = r.label;
    target.masks[i].slice(0, r.y0, r.y1).slice(1, r.x0, r.x1).fill_(true);
  }
  return target;
}

ModelConfig OfficialR50() {
  return ParseTextProtoOrDie<ModelConfig>(R"pb(
    backbone { resnet {} }
    pixel_decoder { ms_deform_attn {} }
    transformer_decoder { masked_attention {} }
  )pb");
}

class R50TrainingTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto built = BuildSegmentor(OfficialR50());
    ASSERT_THAT(built, IsOk());
    model_ = *built;
    FillWithReferenceValues(*model_, "s29:");
    model_->eval();
    auto matcher =
        BuildMatcher(ParseTextProtoOrDie<MatcherConfig>("hungarian {}"));
    ASSERT_THAT(matcher, IsOk());
    auto criterion = SetCriterion::Create(CriterionConfig());
    ASSERT_THAT(criterion, IsOk());
    const std::vector<MaskTarget> targets = {
        MakeTarget({{0, 45, 90, 0, 150},
                    {8, 20, 45, 0, 75},
                    {10, 0, 20, 0, 150},
                    {13, 50, 80, 60, 100}}),
        MakeTarget({{2, 0, 60, 10, 140},
                    {5, 10, 90, 100, 104},
                    {11, 60, 90, 20, 50}})};
    const PreparedImages input = model_->Prepare(
        {ReferenceImage("image0", 90, 150), ReferenceImage("image1", 90, 150)});
    ReferencePointSource points;
    auto losses = ComputeLosses(
        model_->forward(input.images), targets, **matcher, *criterion,
        NormalizeByBatch(TargetCounts(targets), 100, 0.1), points);
    ASSERT_THAT(losses, IsOk());
    losses_ = *std::move(losses);
    losses_.total.backward();
  }
  static void TearDownTestSuite() {
    model_.reset();
    losses_ = {};
  }

  static double GradientNorm(const std::string& name) {
    const at::Tensor* parameter = nullptr;
    const auto parameters = model_->named_parameters();
    parameter = parameters.find(name);
    if (parameter == nullptr) {
      ADD_FAILURE() << "no parameter " << name;
      return 0;
    }
    return parameter->grad().norm().item<double>();
  }

  static inline std::shared_ptr<Segmentor> model_;
  static inline BatchLosses losses_;
};

TEST_F(R50TrainingTest, AssignmentsEqualTheReference) {
  ASSERT_EQ(losses_.assignments.size(), 10);
  const auto& final = losses_.assignments[0];
  EXPECT_THAT(final[0].queries, ElementsAre(5, 25, 41, 93));
  EXPECT_THAT(final[0].targets, ElementsAre(0, 3, 2, 1));
  EXPECT_THAT(final[1].queries, ElementsAre(25, 48, 74));
  EXPECT_THAT(final[1].targets, ElementsAre(1, 2, 0));
  const auto& first = losses_.assignments[1];
  EXPECT_THAT(first[0].queries, ElementsAre(25, 45, 57, 59));
  EXPECT_THAT(first[0].targets, ElementsAre(1, 3, 2, 0));
  EXPECT_THAT(first[1].queries, ElementsAre(45, 48, 65));
  EXPECT_THAT(first[1].targets, ElementsAre(2, 1, 0));
}

TEST_F(R50TrainingTest, AllThirtyLossesEqualTheReference) {
  const double kCe[] = {2.112417, 3.386795, 3.460039, 2.946260, 2.526964,
                        2.235895, 1.998677, 2.003072, 1.817399, 1.785127};
  const double kMask[] = {0.573707, 0.488579, 0.513342, 0.538130, 0.537632,
                          0.544579, 0.508460, 0.566580, 0.544544, 0.624276};
  const double kDice[] = {0.747131, 0.731869, 0.727641, 0.724509, 0.714348,
                          0.722913, 0.754276, 0.728918, 0.755032, 0.732241};
  ASSERT_EQ(losses_.layers.size(), 10);
  for (int i = 0; i < 10; ++i) {
    // The reference's terms moved by 1e-6 with another convolution library.
    EXPECT_NEAR(losses_.layers[i].ce.item<double>(), kCe[i], 8e-6) << i;
    EXPECT_NEAR(losses_.layers[i].mask.item<double>(), kMask[i], 8e-6) << i;
    EXPECT_NEAR(losses_.layers[i].dice.item<double>(), kDice[i], 8e-6) << i;
  }
  EXPECT_NEAR(losses_.total.item<double>(), 112.438835, 1e-4);
}

TEST_F(R50TrainingTest, GradientNormsEqualTheReference) {
  const std::string kPixel = "sem_seg_head.pixel_decoder.";
  const std::string kEncoder = kPixel + "transformer.encoder.layers.";
  const std::string kPredictor = "sem_seg_head.predictor.";
  const std::vector<std::pair<std::string, double>> expected = {
      {"backbone.stem.conv1.weight", 30.95},
      {"backbone.res5.2.conv3.weight", 29.53},
      {kPixel + "input_proj.0.0.weight", 152.69},
      {kPixel + "input_proj.2.1.weight", 8.959},
      {kPixel + "transformer.level_embed", 1.364},
      {kEncoder + "0.self_attn.sampling_offsets.weight", 7.615},
      {kEncoder + "0.self_attn.sampling_offsets.bias", 0.3164},
      {kEncoder + "0.self_attn.attention_weights.weight", 10.395},
      {kEncoder + "0.self_attn.value_proj.weight", 17.221},
      {kEncoder + "5.linear2.weight", 267.47},
      {kPixel + "adapter_1.weight", 150.30},
      {kPixel + "layer_1.weight", 660.09},
      {kPixel + "mask_features.weight", 207.69},
      {kPredictor + "query_feat.weight", 3.863},
      {kPredictor + "query_embed.weight", 0.9342},
      {kPredictor + "level_embed.weight", 5.622},
      {kPredictor +
           "transformer_cross_attention_layers.0.multihead_attn.in_proj_weight",
       50.465},
      {kPredictor +
           "transformer_self_attention_layers.8.self_attn.out_proj.weight",
       34.381},
      {kPredictor + "transformer_ffn_layers.4.linear1.weight", 15.881},
      {kPredictor + "decoder_norm.weight", 10.607},
      {kPredictor + "class_embed.weight", 91.004},
      {kPredictor + "mask_embed.layers.2.weight", 221.35}};
  for (const auto& [name, norm] : expected) {
    // The reference's norms moved by up to 2e-4; they have four digits.
    EXPECT_NEAR(GradientNorm(name), norm, 8e-4 * norm) << name;
  }
  double squares = 0;
  for (const auto& item : model_->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    squares += std::pow(item.value().grad().norm().item<double>(), 2);
  }
  EXPECT_NEAR(std::sqrt(squares), 1449.02, 1.0);
}

TEST_F(R50TrainingTest, ParameterGroupsAreTheOfficialOnes) {
  auto optimizer = BuildOptimizer(SolverConfig(), *model_);
  ASSERT_THAT(optimizer, IsOk());
  struct Group {
    double lr, weight_decay;
    size_t tensors;
    int64_t elements;
  };
  const Group kExpected[] = {{1e-5, 0.05, 53, 23454912},
                             {1e-5, 0, 106, 53120},
                             {1e-4, 0.05, 199, 20424660},
                             {1e-4, 0, 93, 75008}};
  EXPECT_EQ((*optimizer)->groups().size(), 4);
  for (const Group& expected : kExpected) {
    int found = 0;
    for (const ParameterGroup& group : (*optimizer)->groups()) {
      if (std::abs(group.lr - expected.lr) > 1e-12 ||
          group.weight_decay != expected.weight_decay) {
        continue;
      }
      ++found;
      EXPECT_EQ(group.parameters.size(), expected.tensors);
      EXPECT_EQ(group.NumElements(), expected.elements);
    }
    EXPECT_EQ(found, 1) << expected.lr << ", " << expected.weight_decay;
  }
}

}  // namespace
}  // namespace mask2former
