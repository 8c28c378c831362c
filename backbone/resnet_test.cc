#include "mask2former/backbone/resnet.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "mask2former/common/testing/parse_text_proto.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/status_matchers.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

std::shared_ptr<ResNet> Make(const std::string& text) {
  return ResNet::Create(ParseTextProtoOrDie<ResNetConfig>(text)).value();
}

// Mean, mean of absolute values, first, middle and last element.
void ExpectStatistics(const torch::Tensor& tensor, const char* name,
                      const std::vector<double>& expected) {
  const std::vector<double> actual = Statistics(tensor);
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], 5e-5) << name << ", entry " << i;
  }
}

torch::Tensor ReferenceInput() {
  const torch::Tensor mean = at::tensor({123.675f, 116.28f, 103.53f});
  const torch::Tensor deviation = at::tensor({58.395f, 57.12f, 57.375f});
  const torch::Tensor image =
      (ReferenceImage("image0", 90, 150).to(torch::kFloat) -
       mean.view({3, 1, 1})) /
      deviation.view({3, 1, 1});
  return at::constant_pad_nd(image, {0, 10, 0, 6}).unsqueeze(0);
}

// Outputs of the published implementation on reference weights.
void ExpectReferenceOutputs(ResNet& resnet) {
  const torch::Tensor input = ReferenceInput();
  ExpectStatistics(input, "padded input",
                   {0.193541, 0.987802, 0.15969, -0.33753, 0});
  ExpectStatistics(resnet.ForwardStem(input), "stem output",
                   {1.847951, 1.847951, 0.96455, 0, 0});
  const FeaturePyramid pyramid = resnet.forward(input);
  ASSERT_EQ(pyramid.size(), 4u);
  EXPECT_THAT(pyramid[0].sizes(), ElementsAre(1, 256, 24, 40));
  EXPECT_THAT(pyramid[1].sizes(), ElementsAre(1, 512, 12, 20));
  EXPECT_THAT(pyramid[2].sizes(), ElementsAre(1, 1024, 6, 10));
  EXPECT_THAT(pyramid[3].sizes(), ElementsAre(1, 2048, 3, 5));
  ExpectStatistics(pyramid[0], "res2",
                   {1.331065, 1.331065, 0.37797, 0, 0.11138});
  ExpectStatistics(pyramid[1], "res3",
                   {1.592728, 1.592728, 2.64257, 1.10510, 0.97399});
  ExpectStatistics(pyramid[2], "res4",
                   {2.509173, 2.509173, 0.55179, 2.51427, 0.44734});
  ExpectStatistics(pyramid[3], "res5",
                   {2.391505, 2.391505, 2.41436, 0, 0.19636});
}

TEST(ResNetTest, ReproducesTheReferenceWithAndWithoutFoldedNorms) {
  const auto resnet = Make("");
  FillWithReferenceValues(*resnet, "s29:", "backbone.");
  resnet->eval();
  ExpectStatistics(resnet->named_parameters()["stem.conv1.weight"],
                   "stem.conv1.weight",
                   {0.000356, 0.070842, -0.10848, -0.06987, 0.02617});
  ExpectReferenceOutputs(*resnet);
  const torch::NoGradGuard no_grad;
  ExpectReferenceOutputs(*resnet);
}

TEST(ResNetTest, NamesAndShapesAreThePublishedOnes) {
  const auto resnet = Make("");
  std::map<std::string, std::vector<int64_t>> expected;
  const auto expect_conv = [&](const std::string& name, int64_t out, int64_t in,
                               int64_t kernel) {
    expected[name + ".weight"] = {out, in, kernel, kernel};
    for (const char* leaf : {"weight", "bias", "running_mean", "running_var"}) {
      expected[name + ".norm." + leaf] = {out};
    }
    expected[name + ".norm.num_batches_tracked"] = {};
  };
  expect_conv("stem.conv1", 64, 3, 7);
  int64_t in = 64;
  const int blocks[] = {3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage) {
    const int64_t inner = 64 << stage;
    for (int i = 0; i < blocks[stage]; ++i) {
      const std::string block =
          "res" + std::to_string(stage + 2) + "." + std::to_string(i);
      if (i == 0) expect_conv(block + ".shortcut", 4 * inner, in, 1);
      expect_conv(block + ".conv1", inner, in, 1);
      expect_conv(block + ".conv2", inner, inner, 3);
      expect_conv(block + ".conv3", 4 * inner, inner, 1);
      in = 4 * inner;
    }
  }
  EXPECT_EQ(expected.size(), 318u);  // Of the published R50 state.

  std::map<std::string, std::vector<int64_t>> actual;
  for (const auto& item : resnet->named_parameters()) {
    actual[item.key()] = item.value().sizes().vec();
  }
  for (const auto& item : resnet->named_buffers()) {
    actual[item.key()] = item.value().sizes().vec();
  }
  EXPECT_EQ(actual, expected);
}

TEST(ResNetTest, CountsTheParametersOfResNet101) {
  int64_t count = 0;
  for (const torch::Tensor& parameter : Make("depth: 101")->parameters()) {
    count += parameter.numel();
  }
  // Whole models: 62,999,828 with R101, 44,007,700 with R50.
  EXPECT_EQ(count, 23508032 + 62999828 - 44007700);
}

TEST(ResNetTest, CountsTheParametersOfTheBasicNetworks) {
  const auto count = [](const std::string& config) {
    int64_t sum = 0;
    for (const torch::Tensor& parameter : Make(config)->parameters()) {
      sum += parameter.numel();
    }
    return sum;
  };
  // Those of the published classifiers, less the last layer's 513,000.
  EXPECT_EQ(count("depth: 18"), 11689512 - 513000);
  EXPECT_EQ(count("depth: 34"), 21797672 - 513000);
}

TEST(ResNetTest, RoundsOddSizesUp) {
  const auto resnet = Make("depth: 18 width: 4");
  const FeaturePyramid pyramid = resnet->forward(at::zeros({2, 3, 70, 101}));
  ASSERT_EQ(pyramid.size(), 4u);
  EXPECT_THAT(pyramid[0].sizes(), ElementsAre(2, 4, 18, 26));
  EXPECT_THAT(pyramid[1].sizes(), ElementsAre(2, 8, 9, 13));
  EXPECT_THAT(pyramid[2].sizes(), ElementsAre(2, 16, 5, 7));
  EXPECT_THAT(pyramid[3].sizes(), ElementsAre(2, 32, 3, 4));
}

TEST(ResNetTest, TrainsOnBatchStatisticsAndGradientReachesEveryParameter) {
  torch::manual_seed(1);
  const auto resnet = Make("width: 4");
  const torch::Tensor images = at::randn({2, 3, 64, 64});
  torch::Tensor loss;
  for (const torch::Tensor& map : resnet->forward(images)) {
    const torch::Tensor term = (map * at::randn(map.sizes())).sum();
    loss = loss.defined() ? loss + term : term;
  }
  loss.backward();
  for (const auto& item : resnet->named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().sum().item<float>(), 0) << item.key();
  }
  const auto buffers = resnet->named_buffers();
  EXPECT_EQ(buffers["res5.2.conv3.norm.num_batches_tracked"].item<int64_t>(),
            1);
  EXPECT_NE(buffers["stem.conv1.norm.running_mean"].abs().sum().item<float>(),
            0);
}

TEST(ResNetTest, FrozenPartsKeepTheirStateInTraining) {
  torch::manual_seed(1);
  const auto resnet = Make("depth: 18 width: 4 freeze_at: 5");
  const torch::Tensor images = at::randn({1, 3, 64, 64});
  const FeaturePyramid training = resnet->forward(images);
  EXPECT_FALSE(training[3].requires_grad());
  resnet->eval();
  const FeaturePyramid evaluation = resnet->forward(images);
  for (size_t i = 0; i < training.size(); ++i) {
    EXPECT_THAT(training[i], TensorNear(evaluation[i], 0., 0.));
  }
}

TEST(ResNetTest, ConvolutionsStartFromKaimingNormalByOutputs) {
  torch::manual_seed(1);
  const auto resnet = Make("");
  const auto parameters = resnet->named_parameters();
  const auto ratio = [&](const std::string& name, double fan_out) {
    return parameters[name].std().item<double>() / std::sqrt(2 / fan_out);
  };
  EXPECT_NEAR(ratio("stem.conv1.weight", 64 * 49), 1, 0.05);
  EXPECT_NEAR(ratio("res4.3.conv2.weight", 256 * 9), 1, 0.02);
  EXPECT_NEAR(ratio("res5.0.shortcut.weight", 2048), 1, 0.02);
  EXPECT_EQ(parameters["res5.2.conv3.norm.weight"].min().item<float>(), 1);
}

TEST(ResNetTest, RejectsOtherShapesAndIntegers) {
  const auto resnet = Make("depth: 18 width: 4");
  EXPECT_THAT(
      [&] {
        resnet->forward(at::zeros({1, 4, 64, 64}));
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("images must have shape [*, 3, *, *]")));
  EXPECT_THAT(
      [&] {
        resnet->forward(at::zeros({1, 3, 64, 64}, torch::kByte));
      },
      ThrowsMessage<c10::Error>(HasSubstr("floating point")));
}

}  // namespace
}  // namespace mask2former
