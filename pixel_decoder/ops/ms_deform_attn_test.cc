#include "mask2former/pixel_decoder/ops/ms_deform_attn.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "mask2former/common/testing/dispatched_operator.h"
#include "mask2former/common/testing/gradient_check.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_reference.h"

namespace mask2former::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Case {
  std::string name;
  int64_t batch, queries, heads, head_dim, points;
  std::vector<int64_t> level_shapes;
};

struct Arguments {
  at::Tensor value, locations, weights;
};

// Locations reach past every border, where the zero padding begins.
Arguments RandomArguments(const Case& c, at::ScalarType type) {
  at::Generator generator = at::detail::createCPUGenerator(1);
  const int64_t levels = static_cast<int64_t>(c.level_shapes.size()) / 2;
  int64_t positions = 0;
  for (int64_t l = 0; l < levels; ++l) {
    positions += c.level_shapes[2 * l] * c.level_shapes[2 * l + 1];
  }
  return {at::randn({c.batch, positions, c.heads, c.head_dim}, generator, type),
          at::rand({c.batch, c.queries, c.heads, levels, c.points, 2},
                   generator, type) *
                  1.5 -
              0.25,
          at::rand({c.batch, c.queries, c.heads, levels, c.points}, generator,
                   type)};
}

std::vector<at::Tensor> Gradients(const at::Tensor& output,
                                  const Arguments& a) {
  return torch::autograd::grad({output}, {a.value, a.locations, a.weights},
                               {at::ones_like(output).cumsum(-1)});
}

class MsDeformAttnTest : public testing::TestWithParam<Case> {};

TEST_P(MsDeformAttnTest, MatchesGridSampleInFloat) {
  const Arguments a = RandomArguments(GetParam(), at::kFloat);
  EXPECT_THAT(
      MsDeformAttn(a.value, GetParam().level_shapes, a.locations, a.weights),
      TensorNear(MsDeformAttnReference(a.value, GetParam().level_shapes,
                                       a.locations, a.weights),
                 /*atol=*/1e-5, /*rtol=*/1e-5));
}

TEST_P(MsDeformAttnTest, MatchesGridSampleAndItsGradientsInDouble) {
  Arguments a = RandomArguments(GetParam(), at::kDouble);
  for (at::Tensor* t : {&a.value, &a.locations, &a.weights}) {
    t->requires_grad_();
  }
  const at::Tensor actual =
      MsDeformAttn(a.value, GetParam().level_shapes, a.locations, a.weights);
  const at::Tensor expected = MsDeformAttnReference(
      a.value, GetParam().level_shapes, a.locations, a.weights);
  EXPECT_THAT(actual, TensorNear(expected, /*atol=*/1e-12, /*rtol=*/1e-12));
  const auto actual_gradients = Gradients(actual, a);
  const auto expected_gradients = Gradients(expected, a);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(actual_gradients[i], TensorNear(expected_gradients[i],
                                                /*atol=*/1e-10, /*rtol=*/1e-12))
        << "gradient " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MsDeformAttnTest,
    testing::Values(Case{"OneOfEverything", 1, 1, 1, 1, 1, {1, 1}},
                    Case{"ThreeLevels", 2, 3, 2, 4, 4, {4, 6, 2, 3, 1, 2}},
                    Case{"MoreHeadsThanChannels", 1, 2, 8, 2, 2, {3, 5, 2, 2}},
                    Case{"ThePapersHeads", 2, 70, 8, 32, 4, {2, 4, 4, 8, 8, 9}},
                    Case{"OddChannels", 1, 5, 3, 77, 3, {5, 4, 3, 3}}),
    [](const auto& info) { return info.param.name; });

TEST(MsDeformAttnGradientTest, MatchesCentralDifferences) {
  for (const Case& c : {Case{"", 1, 1, 1, 1, 1, {1, 1}},
                        Case{"", 2, 3, 2, 4, 3, {4, 6, 2, 3, 1, 2}},
                        Case{"", 1, 2, 2, 9, 1, {3, 2}}}) {
    const Arguments a = RandomArguments(c, at::kDouble);
    EXPECT_TRUE(GradientsMatch(
        [&](const std::vector<at::Tensor>& x) {
          return MsDeformAttn(x[0], c.level_shapes, x[1], x[2]);
        },
        {a.value, a.locations, a.weights}));
  }
}

// Numbers of an independent implementation.
TEST(MsDeformAttnGoldenTest, ReproducesPublishedNumbers) {
  const std::vector<int64_t> shapes = {3, 4, 2, 2};
  const at::Tensor value =
      (2 * ReferenceUniform("value", 64) - 1).view({1, 16, 2, 2});
  const at::Tensor locations =
      (1.4 * ReferenceUniform("loc", 32) - 0.2).view({1, 2, 2, 2, 2, 2});
  const at::Tensor weights = ReferenceUniform("attn", 16)
                                 .view({1, 2, 2, 4})
                                 .softmax(-1)
                                 .view({1, 2, 2, 2, 2});
  const at::Tensor grad_output =
      (2 * ReferenceUniform("gout", 8) - 1).view({1, 2, 4});
  const double tolerance = 5.001e-7;  // They have six digits.
  EXPECT_THAT(MsDeformAttn(value, shapes, locations, weights).view(-1),
              TensorNear(at::tensor({-0.099805, 0.096497, 0.009714, 0.015642,
                                     0.189396, -0.088284, 0.289179, -0.162091},
                                    at::kDouble),
                         tolerance, 0.));
  const auto [grad_value, grad_locations, grad_weights] =
      MsDeformAttnBackward(grad_output, value, shapes, locations, weights);
  EXPECT_NEAR(grad_value.norm().item<double>(), 0.336426, tolerance);
  EXPECT_NEAR(grad_locations.norm().item<double>(), 1.644322, tolerance);
  EXPECT_NEAR(grad_weights.norm().item<double>(), 0.771419, tolerance);
  EXPECT_THAT(grad_locations[0][0][0].reshape(-1),
              TensorNear(at::tensor({-0.075228, 0.058457, -0.038697, 0.002140,
                                     0.015719, 0.013342, -0.079834, 0.112444},
                                    at::kDouble),
                         tolerance, 0.));
  EXPECT_THAT(grad_weights[0][0][0].reshape(-1),
              TensorNear(at::tensor({0.050616, 0.032148, 0.025368, -0.092024},
                                    at::kDouble),
                         tolerance, 0.));
}

TEST(MsDeformAttnEdgeTest, AcceptsStridedArgumentsAndNoQueries) {
  const Case c{"", 1, 3, 2, 2, 2, {3, 4}};
  const Arguments a = RandomArguments(c, at::kFloat);
  const auto strided = [](const at::Tensor& t) {
    const at::Tensor result = t.transpose(0, -1).contiguous().transpose(0, -1);
    EXPECT_FALSE(result.is_contiguous());
    return result;
  };
  EXPECT_THAT(
      MsDeformAttn(strided(a.value), c.level_shapes, strided(a.locations),
                   strided(a.weights)),
      TensorNear(MsDeformAttn(a.value, c.level_shapes, a.locations, a.weights),
                 /*atol=*/0., /*rtol=*/0.));
  const at::Tensor grad = at::randn({1, 3, 4});
  const auto [v, l, w] =
      MsDeformAttnBackward(strided(grad), strided(a.value), c.level_shapes,
                           strided(a.locations), strided(a.weights));
  const auto [v2, l2, w2] = MsDeformAttnBackward(grad, a.value, c.level_shapes,
                                                 a.locations, a.weights);
  EXPECT_THAT(v, TensorNear(v2, /*atol=*/0., /*rtol=*/0.));
  EXPECT_THAT(l, TensorNear(l2, /*atol=*/0., /*rtol=*/0.));
  EXPECT_THAT(w, TensorNear(w2, /*atol=*/0., /*rtol=*/0.));

  const at::Tensor no_locations = a.locations.narrow(1, 0, 0);
  const at::Tensor no_weights = a.weights.narrow(1, 0, 0);
  EXPECT_THAT(
      MsDeformAttn(a.value, c.level_shapes, no_locations, no_weights).sizes(),
      ElementsAre(1, 0, 4));
  EXPECT_THAT(std::get<0>(MsDeformAttnBackward(at::empty({1, 0, 4}), a.value,
                                               c.level_shapes, no_locations,
                                               no_weights)),
              TensorNear(at::zeros_like(a.value), /*atol=*/0., /*rtol=*/0.));
}

TEST(MsDeformAttnEdgeTest, AcceptsAnEmptyBatchAndNoPoints) {
  EXPECT_THAT(
      MsDeformAttn(at::zeros({0, 6, 2, 3}), {2, 3},
                   at::zeros({0, 5, 2, 1, 4, 2}), at::zeros({0, 5, 2, 1, 4}))
          .sizes(),
      ElementsAre(0, 5, 6));
  const at::Tensor value = at::ones({1, 6, 2, 3});
  const at::Tensor locations = at::zeros({1, 5, 2, 1, 0, 2});
  const at::Tensor weights = at::zeros({1, 5, 2, 1, 0});
  EXPECT_THAT(MsDeformAttn(value, {2, 3}, locations, weights),
              TensorNear(at::zeros({1, 5, 6}), /*atol=*/0., /*rtol=*/0.));
  EXPECT_THAT(std::get<0>(MsDeformAttnBackward(at::ones({1, 5, 6}), value,
                                               {2, 3}, locations, weights)),
              TensorNear(at::zeros_like(value), /*atol=*/0., /*rtol=*/0.));
}

TEST(MsDeformAttnEdgeTest, ReadsAPixelCentreExactly) {
  const at::Tensor value = at::arange(6, at::kFloat).view({1, 6, 1, 1});
  // Pixel (row 1, column 2) of a 2 x 3 map has its centre at (2.5/3, 1.5/2).
  const at::Tensor locations =
      at::tensor({2.5f / 3, 1.5f / 2}).view({1, 1, 1, 1, 1, 2});
  EXPECT_FLOAT_EQ(
      MsDeformAttn(value, {2, 3}, locations, at::ones({1, 1, 1, 1, 1}))
          .item<float>(),
      5);
}

// Not even what is infinite there, and although 0 * infinity is NaN.
TEST(MsDeformAttnEdgeTest, ReadsNothingOutsideAndAtNan) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor value = at::full({1, 6, 1, 40}, infinity);
  const at::Tensor locations =
      at::tensor({nan, 0.5f, 0.5f, nan, infinity, 0.5f, 0.5f, -infinity, 1e30f,
                  0.5f, -1.f, 0.5f, 0.5f, 1.5f, 0.5f, -0.25f})
          .view({1, 1, 1, 1, 8, 2});
  const at::Tensor weights = at::ones({1, 1, 1, 1, 8});
  EXPECT_THAT(MsDeformAttn(value, {2, 3}, locations, weights),
              TensorNear(at::zeros({1, 1, 40}), /*atol=*/0., /*rtol=*/0.));
  const auto [grad_value, grad_locations, grad_weights] = MsDeformAttnBackward(
      at::ones({1, 1, 40}), value, {2, 3}, locations, weights);
  EXPECT_THAT(grad_value,
              TensorNear(at::zeros_like(value), /*atol=*/0., /*rtol=*/0.));
  EXPECT_THAT(grad_locations,
              TensorNear(at::zeros_like(locations), /*atol=*/0., /*rtol=*/0.));
  EXPECT_THAT(grad_weights,
              TensorNear(at::zeros_like(weights), /*atol=*/0., /*rtol=*/0.));
}

TEST(MsDeformAttnEdgeTest, HalfOutsideReadsHalfOfTheBorderOnly) {
  // The upper left pixel is 2, the others are infinite and must not be read.
  at::Tensor value =
      at::full({1, 6, 1, 33}, std::numeric_limits<float>::infinity());
  value.select(1, 0).fill_(2);
  EXPECT_THAT(
      MsDeformAttn(value, {2, 3}, at::zeros({1, 1, 1, 1, 1, 2}),
                   at::ones({1, 1, 1, 1, 1})),
      TensorNear(at::full({1, 1, 33}, 0.5), /*atol=*/1e-6, /*rtol=*/0.));
}

TEST(MsDeformAttnEdgeTest, ComputesHalvesInFloat) {
  const Case c{"", 2, 7, 2, 32, 4, {4, 6, 2, 3}};
  const Arguments a = RandomArguments(c, at::kFloat);
  const at::Tensor grad = at::randn({2, 7, 64});
  for (const at::ScalarType type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor value = a.value.to(type);
    const at::Tensor half_grad = grad.to(type);
    const at::Tensor output =
        MsDeformAttn(value, c.level_shapes, a.locations, a.weights);
    EXPECT_EQ(output.scalar_type(), type);
    EXPECT_TRUE(
        at::equal(output, MsDeformAttn(value.to(at::kFloat), c.level_shapes,
                                       a.locations, a.weights)
                              .to(type)));
    const auto [v, l, w] = MsDeformAttnBackward(
        half_grad, value, c.level_shapes, a.locations, a.weights);
    const auto [v2, l2, w2] =
        MsDeformAttnBackward(half_grad.to(at::kFloat), value.to(at::kFloat),
                             c.level_shapes, a.locations, a.weights);
    EXPECT_TRUE(at::equal(v, v2.to(type)));
    EXPECT_TRUE(at::equal(l, l2));
    EXPECT_TRUE(at::equal(w, w2));
  }
}

TEST(MsDeformAttnEdgeTest, GivesTheSameBitsForAnyNumberOfThreads) {
  const Case c{"", 2, 700, 4, 32, 4, {8, 9, 4, 5, 2, 2}};
  const Arguments a = RandomArguments(c, at::kFloat);
  const at::Tensor grad = at::randn({c.batch, c.queries, 128});
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    auto [v, l, w] = MsDeformAttnBackward(grad, a.value, c.level_shapes,
                                          a.locations, a.weights);
    return std::vector<at::Tensor>{
        MsDeformAttn(a.value, c.level_shapes, a.locations, a.weights), v, l, w};
  };
  const int threads = at::get_num_threads();
  const std::vector<at::Tensor> one = run(1);
  const std::vector<at::Tensor> many = run(5);
  at::set_num_threads(threads);
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_TRUE(at::equal(one[i], many[i])) << "result " << i;
  }
}

// The backward direction is no function that could be differentiated again.
TEST(MsDeformAttnEdgeTest, RefusesASecondDerivative) {
  const at::Tensor value = at::ones({1, 6, 1, 1}).requires_grad_();
  const at::Tensor locations =
      at::full({1, 1, 1, 1, 1, 2}, 0.4).requires_grad_();
  const at::Tensor weights = at::ones({1, 1, 1, 1, 1}).requires_grad_();
  const auto first = torch::autograd::grad(
      {MsDeformAttn(value, {2, 3}, locations, weights).sum()},
      {value, locations, weights}, {}, /*retain_graph=*/true,
      /*create_graph=*/true);
  for (const at::Tensor& gradient : first) {
    EXPECT_THAT(
        [&] {
          torch::autograd::grad({gradient.sum()}, {weights}, {},
                                /*retain_graph=*/true);
        },
        ThrowsMessage<c10::Error>(HasSubstr("not implemented")));
  }
}

TEST(MsDeformAttnOperatorTest, IsPartOfLibTorchsDispatcher) {
  EXPECT_EQ(SchemaOf("mask2former::ms_deform_attn"),
            "mask2former::ms_deform_attn(Tensor value, int[] level_shapes, "
            "Tensor locations, Tensor weights) -> Tensor");
  EXPECT_EQ(SchemaOf("mask2former::ms_deform_attn_backward"),
            "mask2former::ms_deform_attn_backward(Tensor grad_output, "
            "Tensor value, int[] level_shapes, Tensor locations, "
            "Tensor weights) -> (Tensor, Tensor, Tensor)");
  EXPECT_EQ(KernelsOf("mask2former::ms_deform_attn"), KernelsOfThisBuild());
  EXPECT_EQ(KernelsOf("mask2former::ms_deform_attn_backward"),
            KernelsOfThisBuild());
}

TEST(MsDeformAttnOperatorTest, IsCalledByName) {
  const Case c{"", 2, 3, 2, 4, 3, {4, 6, 2, 3}};
  const Arguments a = RandomArguments(c, at::kFloat);
  const auto output =
      CallByName("mask2former::ms_deform_attn",
                 {a.value, c.level_shapes, a.locations, a.weights});
  ASSERT_EQ(output.size(), 1);
  EXPECT_TRUE(
      at::equal(output[0].toTensor(),
                MsDeformAttn(a.value, c.level_shapes, a.locations, a.weights)));
  const at::Tensor grad_output = output[0].toTensor();
  const auto gradients = CallByName(
      "mask2former::ms_deform_attn_backward",
      {grad_output, a.value, c.level_shapes, a.locations, a.weights});
  const auto [v, l, w] = MsDeformAttnBackward(
      grad_output, a.value, c.level_shapes, a.locations, a.weights);
  ASSERT_EQ(gradients.size(), 3);
  EXPECT_TRUE(at::equal(gradients[0].toTensor(), v));
  EXPECT_TRUE(at::equal(gradients[1].toTensor(), l));
  EXPECT_TRUE(at::equal(gradients[2].toTensor(), w));
}

// The rest is in ms_deform_attn_check_test.cc.
TEST(MsDeformAttnEdgeTest, NamesTheArgumentThatIsWrong) {
  const at::Tensor value = at::zeros({1, 6, 1, 1});
  const at::Tensor locations = at::zeros({1, 1, 1, 1, 1, 2});
  const at::Tensor weights = at::zeros({1, 1, 1, 1, 1});
  EXPECT_THAT(
      [&] {
        MsDeformAttn(at::zeros({1, 5, 1, 1}), {2, 3}, locations, weights);
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("value must have shape [*, 6, *, *], got [1, 5, 1, 1]")));
  EXPECT_THAT(
      [&] {
        MsDeformAttnBackward(at::zeros({1, 1, 2}), value, {2, 3}, locations,
                             weights);
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("grad_output must have shape [1, 1, 1]")));
}

}  // namespace
}  // namespace mask2former::ops
