#include "mask2former/train/optimizer/clip_gradients.h"

#include <ATen/ops/full.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

// Norm 5 together.
std::vector<at::Tensor> Gradients() {
  return {at::full({3, 3}, 1.), at::full({1}, 4.), at::full({2, 0}, 1.)};
}

TEST(ClipGradientsTest, ScalesAllByTheCommonNorm) {
  const std::vector<at::Tensor> gradients = Gradients();
  EXPECT_FLOAT_EQ(ClipGradients(gradients, 0.01).item<float>(), 5);
  const double factor = 0.01 / (5 + 1e-6);
  EXPECT_THAT(gradients[0], TensorNear(at::full({3, 3}, factor), 0., 1e-6));
  EXPECT_THAT(gradients[1], TensorNear(at::full({1}, 4 * factor), 0., 1e-6));
}

TEST(ClipGradientsTest, LeavesSmallGradientsAlone) {
  const std::vector<at::Tensor> gradients = Gradients();
  EXPECT_FLOAT_EQ(ClipGradients(gradients, 5.1).item<float>(), 5);
  EXPECT_THAT(gradients[1], TensorNear(at::full({1}, 4.), 0., 0.));
}

TEST(ClipGradientsTest, WithoutLimitOnlyMeasures) {
  const std::vector<at::Tensor> gradients = Gradients();
  EXPECT_FLOAT_EQ(ClipGradients(gradients, std::nullopt).item<float>(), 5);
  EXPECT_THAT(gradients[1], TensorNear(at::full({1}, 4.), 0., 0.));
}

TEST(ClipGradientsTest, RemovesTheLossScaleFirst) {
  for (const std::optional<double> max_norm :
       {std::optional<double>(), std::optional<double>(0.01)}) {
    const std::vector<at::Tensor> plain = Gradients();
    std::vector<at::Tensor> scaled = Gradients();
    for (at::Tensor& gradient : scaled) gradient.mul_(65536);
    const at::Tensor norm = ClipGradients(plain, max_norm);
    EXPECT_THAT(ClipGradients(scaled, max_norm, 65536),
                TensorNear(norm, 0., 0.));
    EXPECT_THAT(scaled[0], TensorNear(plain[0], 0., 1e-7));
  }
}

TEST(ClipGradientsTest, ReportsANormThatIsNotFinite) {
  for (const double bad : {std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    std::vector<at::Tensor> gradients = Gradients();
    gradients[1].fill_(bad);
    EXPECT_FALSE(std::isfinite(ClipGradients(gradients, 1).item<float>()));
  }
}

TEST(ClipGradientsTest, NormOfNothingIsZero) {
  EXPECT_EQ(ClipGradients({}, 1).item<float>(), 0);
}

}  // namespace
}  // namespace mask2former
