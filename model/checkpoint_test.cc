#include "mask2former/model/checkpoint.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Small : public torch::nn::Module {
 public:
  explicit Small(int64_t classes = 3) {
    linear = register_module("linear", torch::nn::Linear(2, classes));
    norm = register_module("norm", torch::nn::BatchNorm2d(2));
  }
  torch::nn::Linear linear{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
};

TEST(CheckpointTest, WhatIsSavedLoadsAgain) {
  const std::string path = testing::TempDir() + "/weights.safetensors";
  Small saved, loaded;
  saved.norm->running_mean.fill_(5);
  ASSERT_THAT(SaveWeights(path, saved, {{"iteration", "7"}}), IsOk());
  const auto report = LoadWeights(path, true, loaded);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->complete());
  for (const auto& [name, tensor] : NamedState(saved)) {
    EXPECT_THAT(NamedState(loaded)[name], TensorNear(tensor, 0., 0.)) << name;
  }
}

TEST(CheckpointTest, StrictNamesWhatDoesNotFitAndChangesNothing) {
  Small model;
  auto tensors = NamedState(Small(4));
  tensors.erase("norm.bias");
  tensors["head.weight"] = at::zeros({1});
  const at::Tensor before = model.norm->weight.detach().clone();
  tensors["norm.weight"] = before + 1;
  EXPECT_THAT(LoadState(tensors, true, model),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("norm.bias"), HasSubstr("head.weight"),
                             HasSubstr("linear.weight: file [4, 2], model "
                                       "[3, 2]"))));
  EXPECT_THAT(model.norm->weight, TensorNear(before, 0., 0.));
}

TEST(CheckpointTest, NotStrictTakesWhatFits) {
  Small model;
  auto tensors = NamedState(Small(4));
  tensors["norm.weight"] = at::full({2}, 9.);
  const auto report = LoadState(tensors, false, model);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->mismatched.size(), 2);
  EXPECT_EQ(model.norm->weight[0].item<float>(), 9);
}

TEST(CheckpointTest, OldFilesMayLackCountersAndHaveTheLossWeights) {
  Small model;
  auto tensors = NamedState(Small());
  tensors.erase("norm.num_batches_tracked");
  tensors["criterion.empty_weight"] = at::ones({4});
  const auto report = LoadState(tensors, true, model);
  ASSERT_THAT(report, IsOk());
  EXPECT_THAT(report->missing, IsEmpty());
  EXPECT_THAT(report->unexpected, IsEmpty());
}

TEST(CheckpointTest, ErrorsNameTheFile) {
  Small model;
  const auto report = LoadWeights("/nowhere/w.safetensors", true, model);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace mask2former
