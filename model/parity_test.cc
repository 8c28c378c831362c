// Every piece of a whole R50 and Swin-T against transformers and the papers'
// formulas, in float64: tools/goldens/parity.py. Matcher and criterion:
// //train:parity_test.

#include "mask2former/model/testing/parity.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/model/instance_inference.h"
#include "mask2former/model/panoptic_inference.h"
#include "mask2former/model/semantic_inference.h"

namespace mask2former {
namespace {

constexpr ImageSize kPadded = {96, 160};
constexpr ImageSize kOutput = {45, 75};
constexpr int kClasses = 19;
constexpr int kFirstThing = 11;

// Float against double; of the features of both, 2e-5 is usual.
constexpr double kFeatures = 8e-5;
constexpr double kPredictions = 2e-4;

class ParityTest : public testing::TestWithParam<ParityCase> {
 protected:
  // Both models, once.
  struct Run {
    PreparedImages input;
    FeaturePyramid pyramid;
    PixelDecoderOutput pixels;
    std::vector<MaskPrediction> predictions;
  };

  static const Run& GetRun() {
    static auto& runs = *new std::map<std::string, Run>;
    const auto found = runs.find(GetParam().name);
    if (found != runs.end()) return found->second;
    const at::NoGradGuard no_grad;
    Segmentor& model = *ParityModel(GetParam());
    Run& run = runs[GetParam().name];
    run.input = ParityImages(model);
    run.pyramid = model.backbone()->forward(run.input.images);
    run.pixels = model.pixel_decoder()->forward(run.pyramid);
    run.predictions = model.transformer_decoder()->forward(
        run.pixels.levels, run.pixels.mask_features);
    return run;
  }

  static const at::Tensor& Golden(const std::string& name) {
    return ParityGolden(GetParam()).tensors.at(name);
  }
  static double Setting(const std::string& name) {
    return std::atof(ParityGolden(GetParam()).metadata.at(name).c_str());
  }
  static std::vector<bool> IsThing() {
    std::vector<bool> is_thing(kClasses, false);
    for (int i = kFirstThing; i < kClasses; ++i) is_thing[i] = true;
    return is_thing;
  }
};

TEST_P(ParityTest, Backbone) {
  ASSERT_EQ(GetRun().pyramid.size(), 4);
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(SamplesAreNear(GetParam(), absl::StrCat("backbone.res", i + 2),
                               GetRun().pyramid[i], kFeatures));
  }
}

TEST_P(ParityTest, PixelDecoder) {
  const PixelDecoderOutput& pixels = GetRun().pixels;
  EXPECT_TRUE(SamplesAreNear(GetParam(), "pixel_decoder.mask_features",
                             pixels.mask_features, kFeatures));
  ASSERT_EQ(pixels.levels.size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(SamplesAreNear(GetParam(),
                               absl::StrCat("pixel_decoder.level", i),
                               pixels.levels[i], kFeatures));
  }
}

TEST_P(ParityTest, TransformerDecoder) {
  const std::vector<MaskPrediction>& predictions = GetRun().predictions;
  ASSERT_EQ(predictions.size(), 10);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(SamplesAreNear(GetParam(),
                               absl::StrCat("transformer_decoder.logits.", i),
                               predictions[i].class_logits, kPredictions));
    EXPECT_TRUE(SamplesAreNear(GetParam(),
                               absl::StrCat("transformer_decoder.masks.", i),
                               predictions[i].mask_logits, kPredictions));
  }
}

TEST_P(ParityTest, SemanticScores) {
  EXPECT_TRUE(
      SamplesAreNear(GetParam(), "semantic",
                     SemanticInference(GetRun().predictions.back(), 0, kPadded,
                                       GetRun().input.sizes[0], kOutput),
                     kPredictions));
}

TEST_P(ParityTest, PanopticSegments) {
  PanopticOptions options;
  options.object_mask_threshold = Setting("object_threshold");
  options.overlap_threshold = Setting("overlap_threshold");
  options.is_thing = IsThing();
  const PanopticPrediction panoptic =
      PanopticInference(GetRun().predictions.back(), 0, kPadded,
                        GetRun().input.sizes[0], kOutput, options);
  const at::Tensor& categories = Golden("panoptic.categories");
  ASSERT_GT(categories.size(0), 2);
  ASSERT_EQ(static_cast<int64_t>(panoptic.segments.size()), categories.size(0));
  for (int64_t i = 0; i < categories.size(0); ++i) {
    EXPECT_EQ(panoptic.segments[i].id, i + 1);
    EXPECT_EQ(panoptic.segments[i].category, categories[i].item<int64_t>());
    EXPECT_EQ(panoptic.segments[i].is_thing,
              panoptic.segments[i].category >= kFirstThing);
  }
  // Pixels between two queries may go to either.
  EXPECT_LE(panoptic.ids.ne(Golden("panoptic.ids")).sum().item<int64_t>(), 2);
}

TEST_P(ParityTest, Instances) {
  InstanceOptions options;
  options.top_k = static_cast<int64_t>(Setting("top_k"));
  const std::vector<InstancePrediction> instances =
      InstanceInference(GetRun().predictions.back(), 0, kPadded,
                        GetRun().input.sizes[0], kOutput, options);
  ASSERT_EQ(static_cast<int64_t>(instances.size()), options.top_k);
  for (int64_t i = 0; i < options.top_k; ++i) {
    const InstancePrediction& instance = instances[i];
    EXPECT_NEAR(instance.score, Golden("instance.scores")[i].item<double>(),
                kPredictions)
        << i;
    EXPECT_EQ(instance.category,
              Golden("instance.categories")[i].item<int64_t>())
        << i;
    EXPECT_EQ(instance.query, Golden("instance.queries")[i].item<int64_t>())
        << i;
    EXPECT_NEAR(instance.mask->area(),
                Golden("instance.areas")[i].item<int64_t>(), 1)
        << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ParityTest, testing::ValuesIn(ParityCases()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mask2former
