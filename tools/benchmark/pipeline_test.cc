#include "mask2former/tools/benchmark/pipeline.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <opencv2/core.hpp>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/data/image_io.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/checkpoint.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Experiment Quickstart() {
  auto experiment = ReadExperiment("configs/quickstart/semantic.textproto", {});
  EXPECT_THAT(experiment.status(), IsOk());
  return *experiment;
}

std::vector<std::string> Names(const std::vector<StageTime>& times) {
  std::vector<std::string> names;
  for (const StageTime& time : times) names.push_back(time.name);
  return names;
}

TEST(PipelineTest, TimesTheModelWithoutAPicture) {
  PipelineOptions options;
  options.size = {64, 96};
  auto pipeline = Pipeline::Create(Quickstart(), options);
  ASSERT_THAT(pipeline.status(), IsOk());
  const std::vector<StageTime> times = pipeline->RunOnce(false);
  EXPECT_THAT(Names(times), ElementsAre("copy", "backbone", "pixel_decoder",
                                        "transformer_decoder", "labels"));
  for (const StageTime& time : times) {
    EXPECT_GT(time.wall_ms, 0) << time.name;
    EXPECT_EQ(time.flops, 0) << time.name;
  }
  EXPECT_THAT(pipeline->labels().sizes(), ElementsAre(64, 96));
}

TEST(PipelineTest, DecodesAndResizesAPicture) {
  PipelineOptions options;
  options.size = {64, 128};
  options.batch = 2;
  options.picture = ::testing::TempDir() + "/picture.png";
  ASSERT_THAT(
      WritePngAtomically(options.picture, cv::Mat::zeros(128, 256, CV_8UC3)),
      IsOk());
  auto pipeline = Pipeline::Create(Quickstart(), options);
  ASSERT_THAT(pipeline.status(), IsOk());
  EXPECT_THAT(Names(pipeline->RunOnce(false)),
              ElementsAre("decode", "resize", "copy", "backbone",
                          "pixel_decoder", "transformer_decoder", "labels"));
  EXPECT_THAT(pipeline->labels().sizes(), ElementsAre(64, 128));
}

TEST(PipelineTest, RunsTheWeightsAndThePictureThatItIsGiven) {
  at::manual_seed(1);
  PipelineOptions options;
  options.size = {64, 96};
  options.image = at::randint(0, 256, {3, 64, 96}, at::kByte);
  auto random = Pipeline::Create(Quickstart(), options);
  const auto model = BuildSegmentor(Quickstart().model());
  ASSERT_THAT(model.status(), IsOk());
  (*model)->eval();
  options.weights = ::testing::TempDir() + "/weights.safetensors";
  ASSERT_THAT(SaveWeights(options.weights, **model, {}), IsOk());
  auto loaded = Pipeline::Create(Quickstart(), options);
  ASSERT_THAT(random.status(), IsOk());
  ASSERT_THAT(loaded.status(), IsOk());
  const MaskPrediction prediction = loaded->Predict();
  const MaskPrediction other = random->Predict();
  const at::NoGradGuard no_grad;
  const MaskPrediction wanted = (*model)->PredictFinal(
      (*model)->Prepare({options.image}).images,
      Quickstart().model().inference().shrink_mask_features());
  EXPECT_TRUE(at::equal(prediction.class_logits, wanted.class_logits));
  EXPECT_TRUE(at::equal(prediction.mask_logits, wanted.mask_logits));
  EXPECT_FALSE(at::equal(other.class_logits, wanted.class_logits));
}

TEST(PipelineTest, TimesTheResultsOfTheExperimentsTasks) {
  PipelineOptions options;
  options.size = {64, 96};
  options.batch = 2;
  auto experiment = ReadExperiment("configs/quickstart/panoptic.textproto", {});
  ASSERT_THAT(experiment.status(), IsOk());
  auto pipeline = Pipeline::Create(*experiment, options);
  ASSERT_THAT(pipeline.status(), IsOk());
  EXPECT_THAT(
      Names(pipeline->RunOnce(false)),
      ElementsAre("copy", "backbone", "pixel_decoder", "transformer_decoder",
                  "labels", "segments", "instances"));

  experiment = ReadExperiment("configs/quickstart/instance.textproto", {});
  ASSERT_THAT(experiment.status(), IsOk());
  pipeline = Pipeline::Create(*experiment, options);
  ASSERT_THAT(pipeline.status(), IsOk());
  EXPECT_THAT(Names(pipeline->RunOnce(false)),
              ElementsAre("copy", "backbone", "pixel_decoder",
                          "transformer_decoder", "instances"));
  EXPECT_THAT(pipeline->instances(), SizeIs(100));  // top_k
}

// By hand, from the sizes in configs/quickstart/semantic.textproto.
TEST(PipelineTest, CountsThePixelDecodersOperations) {
  constexpr int64_t kPositions = 2 * 2 + 4 * 4 + 8 * 8, kFine = 16 * 16;
  constexpr int64_t kChannels = 128, kHeads = 4, kLevels = 3, kPoints = 4;
  constexpr int64_t kSamples = kHeads * kLevels * kPoints;
  constexpr int64_t kProjections =
      kChannels * (2 * 2 * 256 + 4 * 4 * 128 + 8 * 8 * 64);
  constexpr int64_t kLayer =
      kPositions * kChannels * (2 * kChannels + 3 * kSamples + 2 * 256) +
      4 * kPositions * kSamples * (kChannels / kHeads);
  constexpr int64_t kUpwards =
      kFine * kChannels * (32 + 9 * kChannels + kChannels);
  PipelineOptions options;
  options.size = {64, 64};
  auto pipeline = Pipeline::Create(Quickstart(), options);
  ASSERT_THAT(pipeline.status(), IsOk());
  for (const StageTime& stage : pipeline->RunOnce(true)) {
    if (stage.name == "pixel_decoder") {
      EXPECT_EQ(stage.flops, 2 * (kProjections + 2 * kLayer + kUpwards));
    }
  }
}

TEST(PipelineTest, CountsOperationsInProportionToTheBatch) {
  PipelineOptions options;
  options.size = {64, 64};
  auto one = Pipeline::Create(Quickstart(), options);
  options.batch = 2;
  auto two = Pipeline::Create(Quickstart(), options);
  ASSERT_THAT(one.status(), IsOk());
  ASSERT_THAT(two.status(), IsOk());
  const auto a = one->RunOnce(true), b = two->RunOnce(true);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].flops > 1000, a[i].name != "copy") << a[i].name;
    if (a[i].name == "backbone" || a[i].name == "pixel_decoder") {
      EXPECT_EQ(2 * a[i].flops, b[i].flops) << a[i].name;
    }
  }
}

TEST(PipelineTest, RunsInBFloat16) {
  PipelineOptions options;
  options.size = {64, 64};
  options.precision = Precision::kBFloat16;
  auto pipeline = Pipeline::Create(Quickstart(), options);
  ASSERT_THAT(pipeline.status(), IsOk());
  pipeline->RunOnce(false);
  EXPECT_THAT(pipeline->labels().sizes(), ElementsAre(64, 64));
}

TEST(PipelineTest, RefusesWhatItCannotRun) {
  PipelineOptions options;
  options.batch = 0;
  EXPECT_THAT(Pipeline::Create(Quickstart(), options).status().message(),
              HasSubstr("positive"));
  options.batch = 1;
  options.image = at::randint(0, 256, {3, 512, 1000}, at::kByte);
  EXPECT_THAT(Pipeline::Create(Quickstart(), options).status().message(),
              HasSubstr("512 x 1024"));
  options.image = at::Tensor();
  options.weights = "no_such.pth";
  EXPECT_THAT(Pipeline::Create(Quickstart(), options).status().message(),
              HasSubstr("no_such.pth"));
  options.weights.clear();
  options.picture = "no_such.png";
  EXPECT_THAT(Pipeline::Create(Quickstart(), options).status().message(),
              HasSubstr("no_such.png"));
}

TEST(MeasureProductRateTest, IsPositive) {
  EXPECT_GT(MeasureProductRate(c10::kCPU, Precision::kFloat32), 0.1);
}

// A product of 2048 x 2048 takes most processors minutes.
TEST(MeasureProductRateTest, EndsSoonInArithmeticThatProcessorsLack) {
  EXPECT_GT(MeasureProductRate(c10::kCPU, Precision::kFloat16), 0);
}

}  // namespace
}  // namespace mask2former
