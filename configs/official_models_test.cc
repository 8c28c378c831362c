// The models of the official configurations: sizes, what is learned how, one
// training step and one inference.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "mask2former/common/image_batch.h"
#include "mask2former/common/random_points.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/configs/experiment.h"
#include "mask2former/configs/testing/official_configs.h"
#include "mask2former/matcher/build_matcher.h"
#include "mask2former/model/build_segmentor.h"
#include "mask2former/model/semantic_inference.h"
#include "mask2former/train/criterion/set_criterion.h"
#include "mask2former/train/optimizer/build_optimizer.h"
#include "mask2former/train/optimizer/parameter_groups.h"
#include "mask2former/train/train_step.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

constexpr int64_t kSize = 64;

ImageBatch MakeBatch() {
  MaskTarget target = {at::tensor({0, 7, 3}, at::kLong),
                       at::zeros({3, kSize, kSize}, at::kBool)};
  target.masks[0].narrow(0, 0, 20).fill_(true);
  target.masks[1].narrow(0, 20, 30).narrow(1, 10, 20).fill_(true);
  target.masks[2].narrow(1, 40, 24).fill_(true);
  ImageBatch batch;
  batch.images = {at::randint(0, 256, {3, kSize, kSize}, at::kByte)};
  batch.targets = {target};
  batch.names = {"noise"};
  return batch;
}

void ExpectGroups(const OfficialConfig& config, const Segmentor& segmentor) {
  const auto expect = [](const ParameterGroup& group,
                         const OfficialGroup& expected, const char* name) {
    EXPECT_EQ(static_cast<int64_t>(group.parameters.size()), expected.tensors)
        << name;
    EXPECT_EQ(group.NumElements(), expected.elements) << name;
  };
  const auto groups = MakeParameterGroups(segmentor, {});
  ASSERT_EQ(groups.size(), 4u);
  for (const ParameterGroup& group : groups) {
    const bool decays = group.weight_decay == 0.05;
    EXPECT_TRUE(decays || group.weight_decay == 0) << group.weight_decay;
    if (group.lr < 5e-5) {
      EXPECT_DOUBLE_EQ(group.lr, 1e-5);
      expect(group, decays ? config.backbone : config.backbone_without_decay,
             decays ? "backbone" : "backbone, no decay");
    } else {
      EXPECT_DOUBLE_EQ(group.lr, 1e-4);
      expect(group, decays ? config.head : config.head_without_decay,
             decays ? "head" : "head, no decay");
    }
  }
}

class OfficialModelsTest : public testing::TestWithParam<OfficialConfig> {};

TEST_P(OfficialModelsTest, HaveTheirSizeTakeAStepAndInfer) {
  at::manual_seed(1);
  const OfficialConfig& config = GetParam();
  const auto experiment = ReadExperiment(config.path, {});
  ASSERT_THAT(experiment, IsOk());
  auto segmentor = BuildSegmentor(experiment->model());
  ASSERT_THAT(segmentor, IsOk());
  int64_t parameters = 0;
  for (const at::Tensor& parameter : (*segmentor)->parameters()) {
    parameters += parameter.numel();
  }
  EXPECT_EQ(parameters, config.parameters);
  ExpectGroups(config, **segmentor);

  auto matcher = BuildMatcher(experiment->matcher());
  auto criterion = SetCriterion::Create(experiment->criterion());
  auto optimizer = BuildOptimizer(experiment->solver(), **segmentor);
  ASSERT_THAT(matcher, IsOk());
  ASSERT_THAT(criterion, IsOk());
  ASSERT_THAT(optimizer, IsOk());
  // The first and the last of all parameters.
  const at::Tensor first = (*segmentor)->parameters().front();
  const at::Tensor last = (*segmentor)->parameters().back();
  const at::Tensor first_before = first.detach().clone();
  const at::Tensor last_before = last.detach().clone();
  {
    TrainStep step(*segmentor, *std::move(matcher), *std::move(criterion),
                   *std::move(optimizer), /*micro_batch_size=*/0);
    GeneratorPointSource points(at::detail::createCPUGenerator(/*seed=*/2));
    (*segmentor)->train();
    const auto report = step.Run(MakeBatch(), points);
    ASSERT_THAT(report, IsOk());
    EXPECT_EQ(report->losses.size(), 10u);
    EXPECT_GT(report->total, 0);
    EXPECT_GT(report->gradient_norm, 0);
    EXPECT_TRUE(std::isfinite(report->gradient_norm));
    EXPECT_DOUBLE_EQ(report->lr, 1e-4);
  }
  EXPECT_FALSE(first.detach().equal(first_before));
  EXPECT_FALSE(last.detach().equal(last_before));

  (*segmentor)->eval();
  const at::NoGradGuard no_grad;
  const PreparedImages prepared =
      (*segmentor)->Prepare({at::randint(0, 256, {3, 50, 70}, at::kByte)});
  ASSERT_THAT(prepared.images.sizes(), ElementsAre(1, 3, 64, 96));
  const MaskPrediction prediction =
      (*segmentor)->PredictFinal(prepared.images, false);
  ASSERT_THAT(prediction.class_logits.sizes(),
              ElementsAre(1, config.num_queries, config.num_classes + 1));
  ASSERT_THAT(prediction.mask_logits.sizes(),
              ElementsAre(1, config.num_queries, 16, 24));
  const at::Tensor scores =
      SemanticInference(prediction, 0, {64, 96}, prepared.sizes[0], {50, 70});
  EXPECT_THAT(scores.sizes(), ElementsAre(config.num_classes, 50, 70));
  EXPECT_TRUE(scores.isfinite().all().item<bool>());
}

INSTANTIATE_TEST_SUITE_P(Cityscapes, OfficialModelsTest,
                         testing::ValuesIn(OfficialConfigs()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace mask2former
