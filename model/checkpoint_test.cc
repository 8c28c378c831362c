#include "mask2former/model/checkpoint.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

#include <memory>

#include "mask2former/common/safetensors.h"
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

class SmallModel : public torch::nn::Module {
 public:
  SmallModel() {
    backbone = register_module("backbone", std::make_shared<Module>());
    stem = backbone->register_module("stem", std::make_shared<Module>());
    conv = stem->register_module("conv1", torch::nn::Linear(2, 3));
    head = register_module("head", torch::nn::Linear(1, 1));
  }
  std::shared_ptr<Module> backbone, stem;
  torch::nn::Linear conv{nullptr}, head{nullptr};
};

std::string Written(const std::string& name,
                    const std::map<std::string, at::Tensor>& tensors,
                    const std::map<std::string, std::string>& metadata = {}) {
  const std::string path = testing::TempDir() + "/" + name;
  EXPECT_THAT(WriteSafetensors(path, tensors, metadata), IsOk());
  return path;
}

TEST(CheckpointTest, ABackboneStartsAModelButIsNone) {
  const std::string path =
      Written("backbone.safetensors", {{"stem.conv1.weight", at::ones({3, 2})},
                                       {"stem.conv1.bias", at::zeros({3})},
                                       {"stem.fc.bias", at::zeros({9})}});
  SmallModel model;
  const at::Tensor head = model.head->weight.detach().clone();
  EXPECT_THAT(LoadWeights(path, true, model),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr(path), HasSubstr("head.weight"))));
  LoadOptions options;
  options.allow_backbone_only = true;
  const auto report = LoadWeights(path, options, model);
  ASSERT_THAT(report, IsOk());
  EXPECT_TRUE(report->complete());
  EXPECT_EQ(report->naming, "detectron2 backbone");
  EXPECT_EQ(report->explained.size(), 3);
  EXPECT_THAT(model.conv->weight, TensorNear(at::ones({3, 2}), 0., 0.));
  EXPECT_THAT(model.head->weight, TensorNear(head, 0., 0.));
}

TEST(CheckpointTest, ABackboneThatLacksAParameterIsRefused) {
  const std::string path =
      Written("stem.safetensors", {{"stem.conv1.weight", at::ones({3, 2})}});
  SmallModel model;
  LoadOptions options;
  options.allow_backbone_only = true;
  EXPECT_THAT(LoadWeights(path, options, model),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("missing in the file:\n    "
                                 "backbone.stem.conv1.bias")));
}

TEST(CheckpointTest, ConvertsFloatingPointTypesOnly) {
  Small model;
  auto tensors = NamedState(Small());
  tensors["linear.weight"] = at::full({3, 2}, 0.25, at::kBFloat16);
  tensors["norm.weight"] = at::full({2}, 3, at::kDouble);
  ASSERT_THAT(LoadState(tensors, true, model), IsOk());
  EXPECT_EQ(model.linear->weight[2][1].item<float>(), 0.25);
  EXPECT_EQ(model.norm->weight[1].item<float>(), 3);
  tensors["norm.weight"] = at::full({2}, 3, at::kLong);
  EXPECT_THAT(LoadState(tensors, true, model),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("norm.weight: file Long, model Float")));
}

class Classifier : public torch::nn::Module {
 public:
  explicit Classifier(int64_t rows) {
    linear = register_module("class_embed", torch::nn::Linear(2, rows));
    other = register_module("other", torch::nn::Linear(rows, 1));
  }
  torch::nn::Linear linear{nullptr}, other{nullptr};
};

TEST(CheckpointTest, SliceTakesClassesByNameAndCorners) {
  const std::string path =
      Written("classes.safetensors",
              {{"class_embed.weight", at::arange(8.).view({4, 2})},
               {"class_embed.bias", at::arange(4.)},
               {"other.weight", at::arange(4.).view({1, 4})},
               {"other.bias", at::ones({1})}},
              {{"class_names", R"(["road", "car", "sky"])"}});
  Classifier model(3);
  const at::Tensor before = model.linear->bias.detach().clone();
  LoadOptions options;
  options.class_names = {"sky", "tram"};
  EXPECT_THAT(LoadWeights(path, options, model),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("class_embed.bias: file [4], model [3]")));
  options.on_mismatch = OnMismatch::kSlice;
  const auto report = LoadWeights(path, options, model);
  ASSERT_THAT(report, IsOk());
  EXPECT_EQ(report->adapted.size(), 3);
  EXPECT_TRUE(report->mismatched.empty());
  EXPECT_EQ(model.linear->bias[0].item<float>(), 2);  // sky
  EXPECT_EQ(model.linear->bias[1].item<float>(), before[1].item<float>());
  EXPECT_EQ(model.linear->bias[2].item<float>(), 3);  // No object.
  EXPECT_EQ(model.linear->weight[0][1].item<float>(), 5);
  EXPECT_EQ(model.other->weight[0][2].item<float>(), 2);
}

TEST(CheckpointTest, SliceTakesClassesByNameAlsoWhereTheShapesAgree) {
  const std::string path = Written("order.safetensors",
                                   {{"class_embed.weight", at::zeros({3, 2})},
                                    {"class_embed.bias", at::arange(3.)},
                                    {"other.weight", at::zeros({1, 3})},
                                    {"other.bias", at::ones({1})}},
                                   {{"class_names", R"(["road", "car"])"}});
  Classifier model(3);
  LoadOptions options;
  options.class_names = {"car", "road"};
  options.on_mismatch = OnMismatch::kSlice;
  ASSERT_THAT(LoadWeights(path, options, model), IsOk());
  EXPECT_THAT(model.linear->bias,
              TensorNear(at::tensor({1.f, 0.f, 2.f}), 0., 0.));
}

TEST(CheckpointTest, ErrorsNameTheFile) {
  Small model;
  const auto report = LoadWeights("/nowhere/w.safetensors", true, model);
  ASSERT_FALSE(report.ok());
  EXPECT_THAT(std::string(report.status().message()), HasSubstr("/nowhere"));
}

}  // namespace
}  // namespace mask2former
