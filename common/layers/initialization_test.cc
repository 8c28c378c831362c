#include "mask2former/common/layers/initialization.h"

#include <ATen/ops/empty.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

// Uniform in (-bound, bound): never outside, nearly reached, mean square
// bound^2 / 3.
void ExpectUniform(const at::Tensor& t, double bound) {
  const double largest = t.abs().max().item<double>();
  EXPECT_LE(largest, bound * (1 + 1e-6));
  EXPECT_GE(largest, bound * 0.999);
  EXPECT_NEAR(t.pow(2).mean().item<double>() / (bound * bound / 3), 1, 0.05);
  EXPECT_NEAR(t.mean().item<double>(), 0, bound * 0.02);
}

TEST(InitializationTest, XavierUniformUsesBothFans) {
  const at::Tensor weight = at::empty({768, 256});
  XavierUniform(weight);
  ExpectUniform(weight, std::sqrt(6. / 1024));
}

TEST(InitializationTest, KaimingNormalUsesTheOutputs) {
  const at::Tensor weight = at::empty({128, 16, 3, 3});
  KaimingNormalFanOut(weight);
  EXPECT_NEAR(weight.std().item<double>() / std::sqrt(2. / (128 * 9)), 1, 0.05);
}

TEST(InitializationTest, UniformFanInUsesTheInputs) {
  const at::Tensor weight = at::empty({16, 128, 3, 3});
  UniformFanIn(weight);
  ExpectUniform(weight, std::sqrt(3. / (128 * 9)));
}

TEST(InitializationTest, DefaultSharesOneBoundBetweenWeightAndBias) {
  const at::Tensor weight = at::empty({4096, 64});
  const at::Tensor bias = at::empty({4096});
  DefaultUniform(weight);
  DefaultUniformBias(bias, weight);
  ExpectUniform(weight, 1. / 8);
  ExpectUniform(bias, 1. / 8);
}

TEST(InitializationTest, RejectsVectors) {
  EXPECT_THAT([] { XavierUniform(at::empty({4})); },
              ThrowsMessage<c10::Error>(HasSubstr("two dimensions or more")));
}

TEST(InitializationTest, WorksOnParametersWithoutRecordingGradients) {
  const at::Tensor weight = at::empty({4, 4}).requires_grad_();
  XavierUniform(weight);
  EXPECT_TRUE(weight.is_leaf());
}

}  // namespace
}  // namespace mask2former
