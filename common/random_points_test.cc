#include "mask2former/common/random_points.h"

#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;

TEST(GeneratorPointSourceTest, DrawsUniformPointsInTheUnitSquare) {
  GeneratorPointSource source(at::detail::createCPUGenerator(/*seed=*/1));
  const torch::Tensor points = source.Draw(3, 2000);
  EXPECT_THAT(points.sizes(), ElementsAre(3, 2000, 2));
  EXPECT_EQ(points.scalar_type(), torch::kFloat);
  EXPECT_GE(points.min().item<float>(), 0);
  EXPECT_LT(points.max().item<float>(), 1);
  EXPECT_THAT(points.mean(at::IntArrayRef({0, 1})),
              TensorNear(torch::full({2}, 0.5), /*atol=*/0.02, /*rtol=*/0.));
  // Sets of points differ.
  EXPECT_FALSE(torch::equal(points[0], points[1]));
}

TEST(GeneratorPointSourceTest, RepeatsWithTheGenerator) {
  at::Generator generator = at::detail::createCPUGenerator(/*seed=*/1);
  GeneratorPointSource source(generator);
  source.Draw(1, 5);
  const torch::Tensor state = generator.get_state().clone();
  const torch::Tensor first = source.Draw(2, 4);
  EXPECT_FALSE(torch::equal(first, source.Draw(2, 4)));
  generator.set_state(state);
  EXPECT_TRUE(torch::equal(first, source.Draw(2, 4)));
}

}  // namespace
}  // namespace mask2former
