#include "mask2former/train/train_step.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/model/segmentor.h"
#include "mask2former/train/testing/tiny_run.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Draws the same points whatever the number of images asked for at a time, so
// that a batch and its parts see the same ones.
class FixedPoints final : public PointSource {
 public:
  at::Tensor Draw(int64_t n, int64_t t) override {
    const at::Tensor i = at::arange(t, at::kDouble);
    const at::Tensor one =
        at::stack({(i * 0.618034).frac(), (i * 0.754878).frac()}, -1);
    return one.to(at::kFloat).expand({n, t, 2}).contiguous();
  }
};

TEST(TrainStepTest, ATinyModelLearnsTwoImages) {
  TrainStep step = TinyTrainStep({});
  GeneratorPointSource points(at::detail::createCPUGenerator(1));
  ImageBatch batch = TinyBatch(4);
  batch.images.erase(batch.images.begin(), batch.images.begin() + 2);
  batch.targets.erase(batch.targets.begin(), batch.targets.begin() + 2);
  batch.names.erase(batch.names.begin(), batch.names.begin() + 2);
  double first = 0, last = 0;
  for (int i = 0; i < 40; ++i) {
    const auto report = step.Run(batch, points);
    ASSERT_THAT(report, IsOk());
    if (i == 0) {
      first = report->total;
      EXPECT_EQ(report->losses.size(), 3);
      EXPECT_NEAR(report->lr, 2e-3, 1e-9);
    }
    last = report->total;
    EXPECT_GT(report->gradient_norm, 0);
  }
  EXPECT_LT(last, 0.5 * first);
}

// Images whose number of targets differs, one of them without any.
TEST(TrainStepTest, PartsOfABatchAddUpToTheWhole) {
  std::vector<std::vector<at::Tensor>> gradients;
  std::vector<double> totals;
  for (const int micro_batch_size : {0, 2, 1}) {
    TinyOptions options;
    options.micro_batch_size = micro_batch_size;
    options.frozen_batch_norm = true;
    TrainStep step = TinyTrainStep(options);
    FixedPoints points;
    const auto report = step.Run(TinyBatch(4), points);
    ASSERT_THAT(report, IsOk());
    totals.push_back(report->total);
    gradients.emplace_back();
    for (const at::Tensor& parameter : step.segmentor().parameters()) {
      if (parameter.grad().defined()) {
        gradients.back().push_back(parameter.grad().clone());
      }
    }
  }
  for (const int i : {1, 2}) {
    EXPECT_NEAR(totals[i], totals[0], 1e-4 * totals[0]);
    ASSERT_EQ(gradients[i].size(), gradients[0].size());
    for (size_t p = 0; p < gradients[0].size(); ++p) {
      // Clipped to a common norm of 0.01.
      EXPECT_THAT(gradients[i][p], TensorNear(gradients[0][p], 2e-6, 1e-3));
    }
  }
}

TEST(TrainStepTest, ImagesWithoutAnyTargetAreLegal) {
  TrainStep step = TinyTrainStep({});
  GeneratorPointSource points(at::detail::createCPUGenerator(1));
  ImageBatch batch = TinyBatch(2);
  for (MaskTarget& target : batch.targets) {
    target = {at::zeros({0}, at::kLong), at::zeros({0, 64, 64}, at::kBool)};
  }
  const auto report = step.Run(batch, points);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->losses[0].mask, 0);
  EXPECT_EQ(report->losses[0].dice, 0);
  EXPECT_GT(report->losses[0].ce, 0);
}

TEST(TrainStepTest, ALossThatIsNotFiniteNamesTheImagesAndChangesNothing) {
  TrainStep step = TinyTrainStep({});
  const at::Tensor weight = step.segmentor().parameters().back();
  const at::Tensor before = weight.detach().clone();
  GeneratorPointSource points(at::detail::createCPUGenerator(1));
  ImageBatch batch = TinyBatch(2);
  batch.images[1] = batch.images[1].to(at::kFloat);
  batch.images[1][0][5][5] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(step.Run(batch, points),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(batch.names[0] + ", " + batch.names[1]),
                             HasSubstr("nan"), HasSubstr("solver.base_lr"))));
  EXPECT_THAT(weight, TensorNear(before, 0., 0.));
  EXPECT_TRUE(step.optimizer().State().empty() ||
              step.Run(TinyBatch(2), points).ok());
}

TEST(TrainStepTest, BFloat16MovesTheLossALittleAndKeepsFloatGradients) {
  std::vector<StepReport> reports;
  for (const Precision precision :
       {Precision::kFloat32, Precision::kBFloat16}) {
    TinyOptions options;
    options.precision = precision;
    options.frozen_batch_norm = true;
    TrainStep step = TinyTrainStep(options);
    FixedPoints points;
    const auto report = step.Run(TinyBatch(2), points);
    ASSERT_THAT(report, IsOk());
    reports.push_back(*report);
    EXPECT_EQ(step.loss_scale(), nullptr);
    for (const at::Tensor& parameter : step.segmentor().parameters()) {
      if (!parameter.grad().defined()) continue;
      EXPECT_EQ(parameter.grad().scalar_type(), at::kFloat);
    }
  }
  EXPECT_NEAR(reports[1].total, reports[0].total, 0.02 * reports[0].total);
  EXPECT_NE(reports[1].total, reports[0].total);
  EXPECT_NEAR(reports[1].gradient_norm, reports[0].gradient_norm,
              0.1 * reports[0].gradient_norm);
}

TEST(TrainStepTest, Float16ScalesTheLossAndStepsBackFromOverflow) {
  TinyOptions options;
  options.precision = Precision::kFloat16;
  options.frozen_batch_norm = true;
  TrainStep step = TinyTrainStep(options);
  options.precision = Precision::kFloat32;
  TrainStep exact = TinyTrainStep(options);
  FixedPoints points;
  ASSERT_NE(step.loss_scale(), nullptr);
  const at::Tensor weight = step.segmentor().parameters().back();
  const at::Tensor before = weight.detach().clone();
  // No float16 gradient survives such a factor.
  ASSERT_THAT(step.loss_scale()->LoadState(
                  {{"value", at::full({}, 1e30, at::kDouble)},
                   {"good_steps", at::full({}, 7, at::kLong)}}),
              IsOk());
  auto report = step.Run(TinyBatch(2), points);
  ASSERT_THAT(report, IsOk());
  EXPECT_FALSE(report->updated);
  EXPECT_THAT(weight, TensorNear(before, 0., 0.));
  EXPECT_EQ(step.loss_scale()->value(), 5e29);
  EXPECT_EQ(step.optimizer().iteration(), 1);  // The schedule goes on.

  ASSERT_THAT(step.loss_scale()->LoadState(
                  {{"value", at::full({}, 64, at::kDouble)},
                   {"good_steps", at::full({}, 7, at::kLong)}}),
              IsOk());
  report = step.Run(TinyBatch(2), points);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->updated);
  const auto expected = exact.Run(TinyBatch(2), points);
  ASSERT_THAT(expected, IsOk());
  EXPECT_NEAR(report->total, expected->total, 0.01 * expected->total);
  EXPECT_NEAR(report->gradient_norm, expected->gradient_norm,
              0.05 * expected->gradient_norm);
  EXPECT_FALSE(at::equal(weight, before));
}

TEST(TrainStepTest, WhatThrowsBecomesAnErrorAndChangesNothing) {
  TrainStep step = TinyTrainStep({});
  const at::Tensor weight = step.segmentor().parameters().back();
  const at::Tensor before = weight.detach().clone();
  GeneratorPointSource points(at::detail::createCPUGenerator(1));
  ImageBatch batch = TinyBatch(2);
  batch.images[1] = at::zeros({4, 64, 64}, at::kByte);
  EXPECT_THAT(step.Run(batch, points),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("[4, 64, 64]")));
  EXPECT_THAT(weight, TensorNear(before, 0., 0.));
}
}  // namespace
}  // namespace mask2former
