#include "mask2former/pixel_decoder/ops/ms_deform_attn_fused.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "mask2former/common/testing/dispatched_operator.h"
#include "mask2former/common/testing/gradient_check.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_reference.h"

namespace mask2former::ops {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

struct Case {
  std::string name;
  int64_t batch, reference_batch, queries, heads, head_dim, points;
  std::vector<int64_t> level_shapes;
};

// value, reference points, offsets, logits.
using Arguments = std::vector<at::Tensor>;

// Samples reach past every border, where the zero padding begins.
Arguments RandomArguments(const Case& c, at::ScalarType type) {
  at::Generator generator = at::detail::createCPUGenerator(1);
  const int64_t levels = static_cast<int64_t>(c.level_shapes.size()) / 2;
  int64_t positions = 0;
  for (int64_t l = 0; l < levels; ++l) {
    positions += c.level_shapes[2 * l] * c.level_shapes[2 * l + 1];
  }
  return {at::randn({c.batch, positions, c.heads, c.head_dim}, generator, type),
          at::rand({c.reference_batch, c.queries, levels, 2}, generator, type) *
                  1.1 -
              0.05,
          1.5 * at::randn({c.batch, c.queries, c.heads, levels, c.points, 2},
                          generator, type),
          3 * at::randn({c.batch, c.queries, c.heads, levels, c.points},
                        generator, type)};
}

at::Tensor Fused(const Case& c, const Arguments& a) {
  return MsDeformAttnFused(a[0], c.level_shapes, a[1], a[2], a[3]);
}

// The same by LibTorch's operators, with their gradients.
at::Tensor Reference(const Case& c, const Arguments& a) {
  const int64_t levels = static_cast<int64_t>(c.level_shapes.size()) / 2;
  const at::Tensor sizes = at::tensor(c.level_shapes)
                               .view({levels, 2})
                               .flip(1)
                               .to(a[0].scalar_type())
                               .view({1, 1, 1, levels, 1, 2});
  return MsDeformAttnReference(a[0], c.level_shapes,
                               a[1].unsqueeze(2).unsqueeze(4) + a[2] / sizes,
                               a[3].flatten(3).softmax(-1).view_as(a[3]));
}

std::vector<at::Tensor> Gradients(const at::Tensor& output,
                                  const Arguments& a) {
  return torch::autograd::grad({output}, a,
                               {at::ones_like(output).cumsum(-1).sin()});
}

class MsDeformAttnFusedTest : public testing::TestWithParam<Case> {
 protected:
  static void ExpectReference(at::ScalarType type, double tolerance) {
    Arguments a = RandomArguments(GetParam(), type);
    for (at::Tensor& t : a) t.requires_grad_();
    const at::Tensor actual = Fused(GetParam(), a);
    const at::Tensor expected = Reference(GetParam(), a);
    EXPECT_THAT(actual, TensorNear(expected, tolerance, tolerance));
    const auto actual_gradients = Gradients(actual, a);
    const auto expected_gradients = Gradients(expected, a);
    // Of value, reference points, offsets, logits; sums of many products.
    const double scale[4] = {10, 2000, 100, 20};
    for (int i = 0; i < 4; ++i) {
      EXPECT_THAT(actual_gradients[i],
                  TensorNear(expected_gradients[i], scale[i] * tolerance,
                             10 * tolerance))
          << "gradient " << i;
    }
  }
};

TEST_P(MsDeformAttnFusedTest, MatchesTheCompositionInFloat) {
  ExpectReference(at::kFloat, 1e-5);
}

TEST_P(MsDeformAttnFusedTest, MatchesTheCompositionInDouble) {
  ExpectReference(at::kDouble, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MsDeformAttnFusedTest,
    testing::Values(
        Case{"OneOfEverything", 1, 1, 1, 1, 1, 1, {1, 1}},
        Case{"ThreeLevels", 2, 2, 3, 2, 4, 4, {4, 6, 2, 3, 1, 2}},
        Case{"SharedPoints", 3, 1, 5, 2, 4, 2, {4, 6, 2, 3}},
        Case{"ThePapersHeads", 2, 1, 70, 8, 32, 4, {2, 4, 4, 8, 8, 9}},
        Case{"ManySamples", 1, 1, 5, 3, 7, 900, {5, 4}}),
    [](const auto& info) { return info.param.name; });

TEST(MsDeformAttnFusedGradientTest, MatchesCentralDifferences) {
  for (const Case& c : {Case{"", 1, 1, 1, 1, 1, 1, {1, 1}},
                        Case{"", 2, 1, 3, 2, 4, 3, {4, 6, 2, 3, 1, 2}},
                        Case{"", 2, 2, 2, 2, 9, 1, {3, 2}}}) {
    EXPECT_TRUE(GradientsMatch([&](const Arguments& x) { return Fused(c, x); },
                               RandomArguments(c, at::kDouble)));
  }
}

// The gradients of `wanted` of the four arguments, and how often the backward
// direction sums a tensor up, as only the reference points' gradient does.
struct Wanted {
  std::vector<at::Tensor> gradients;
  int sums;
};

int g_sums = 0;

Wanted GradientsOf(const Case& c, const std::vector<int>& wanted) {
  Arguments a = RandomArguments(c, at::kDouble);
  std::vector<at::Tensor> inputs;
  for (const int i : wanted) inputs.push_back(a[i].requires_grad_());
  const at::Tensor output = Fused(c, a);
  const at::Tensor grad = at::ones_like(output).cumsum(-1).sin();
  g_sums = 0;
  const at::CallbackHandle handle = at::addGlobalCallback(
      at::RecordFunctionCallback([](const at::RecordFunction& function)
                                     -> std::unique_ptr<at::ObserverContext> {
        if (std::string(function.name()) == "aten::sum") ++g_sums;
        return nullptr;
      }));
  const auto gradients = torch::autograd::grad({output}, inputs, {grad});
  at::removeCallback(handle);
  return {gradients, g_sums};
}

TEST(MsDeformAttnFusedGradientTest, ReferencePointsAloneGetTheirs) {
  for (const int64_t reference_batch : {1, 2}) {
    const Case c{"", 2, reference_batch, 3, 2, 4, 3, {4, 6, 2, 3}};
    Arguments a = RandomArguments(c, at::kDouble);
    for (at::Tensor& t : a) t.requires_grad_();
    const std::vector<at::Tensor> all = Gradients(Reference(c, a), a);
    const Wanted points = GradientsOf(c, {1});
    EXPECT_THAT(points.gradients[0], TensorNear(all[1], 1e-10, 1e-10));
    EXPECT_GT(points.sums, 0);
  }
}

// In a model they are constant, and their gradient is a sum over all samples.
TEST(MsDeformAttnFusedGradientTest, ConstantReferencePointsCostNothing) {
  const Case c{"", 2, 1, 3, 2, 4, 3, {4, 6, 2, 3}};
  Arguments a = RandomArguments(c, at::kDouble);
  for (at::Tensor& t : a) t.requires_grad_();
  const std::vector<at::Tensor> all = Gradients(Reference(c, a), a);
  const Wanted others = GradientsOf(c, {0, 2, 3});
  EXPECT_THAT(others.gradients[0], TensorNear(all[0], 1e-10, 1e-10));
  EXPECT_THAT(others.gradients[1], TensorNear(all[2], 1e-10, 1e-10));
  EXPECT_THAT(others.gradients[2], TensorNear(all[3], 1e-10, 1e-10));
  EXPECT_EQ(others.sums, 0);
}

// The backward direction is no function that could be differentiated again.
TEST(MsDeformAttnFusedGradientTest, RefusesASecondDerivative) {
  const Case c{"", 1, 1, 2, 1, 2, 1, {2, 3}};
  Arguments a = RandomArguments(c, at::kDouble);
  for (at::Tensor& t : a) t.requires_grad_();
  const at::Tensor output = Fused(c, a);
  const std::vector<at::Tensor> first = torch::autograd::grad(
      {output}, a, {at::ones_like(output)}, /*retain_graph=*/true,
      /*create_graph=*/true);
  for (const at::Tensor& gradient : first) {
    EXPECT_THAT(
        [&] {
          torch::autograd::grad({gradient.sum()}, {a[0]}, {},
                                /*retain_graph=*/true);
        },
        ThrowsMessage<c10::Error>(HasSubstr("not implemented")));
  }
}

TEST(MsDeformAttnFusedEdgeTest, AcceptsStridedArguments) {
  const Case c{"", 2, 2, 3, 2, 2, 2, {3, 4}};
  const Arguments a = RandomArguments(c, at::kFloat);
  Arguments strided;
  for (const at::Tensor& t : a) {
    strided.push_back(t.transpose(0, -1).contiguous().transpose(0, -1));
    EXPECT_FALSE(strided.back().is_contiguous());
  }
  EXPECT_TRUE(at::equal(Fused(c, strided), Fused(c, a)));
  const at::Tensor grad = at::randn({3, 2, 4}).transpose(0, 1);
  const auto [v, o, l] = MsDeformAttnFusedBackward(
      grad, strided[0], c.level_shapes, strided[1], strided[2], strided[3]);
  const auto [v2, o2, l2] = MsDeformAttnFusedBackward(
      grad.contiguous(), a[0], c.level_shapes, a[1], a[2], a[3]);
  EXPECT_TRUE(at::equal(v, v2));
  EXPECT_TRUE(at::equal(o, o2));
  EXPECT_TRUE(at::equal(l, l2));
}

TEST(MsDeformAttnFusedEdgeTest, AcceptsNoImagesQueriesAndPoints) {
  for (const Case& c :
       {Case{"", 0, 1, 3, 2, 2, 2, {3, 4}}, Case{"", 2, 1, 0, 2, 2, 2, {3, 4}},
        Case{"", 2, 1, 3, 2, 2, 0, {3, 4}}}) {
    const Arguments a = RandomArguments(c, at::kFloat);
    const at::Tensor output = Fused(c, a);
    EXPECT_THAT(output.sizes(), ElementsAre(c.batch, c.queries, 4));
    EXPECT_TRUE(at::equal(output, at::zeros_like(output)));
    const auto [v, o, l] = MsDeformAttnFusedBackward(
        at::ones_like(output), a[0], c.level_shapes, a[1], a[2], a[3]);
    EXPECT_TRUE(at::equal(v, at::zeros_like(v)));
    EXPECT_EQ(o.sizes(), a[2].sizes());
    EXPECT_EQ(l.sizes(), a[3].sizes());
  }
}

TEST(MsDeformAttnFusedEdgeTest, SoftmaxBearsLargeLogitsAndMinusInfinity) {
  const Case c{"", 1, 1, 40, 1, 3, 3, {3, 4}};
  Arguments a = RandomArguments(c, at::kFloat);
  a[3] *= 1000;
  a[3].select(4, 1).fill_(-std::numeric_limits<float>::infinity());
  EXPECT_THAT(Fused(c, a), TensorNear(Reference(c, a), 1e-5, 1e-5));
}

TEST(MsDeformAttnFusedEdgeTest, NanOffsetsReadNothingAndNanLogitsAreNan) {
  const Case c{"", 1, 1, 20, 1, 3, 2, {3, 4}};
  Arguments a = RandomArguments(c, at::kFloat);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  a[0].fill_(std::numeric_limits<float>::infinity());
  a[2].fill_(nan);
  EXPECT_TRUE(at::equal(Fused(c, a), at::zeros({1, 20, 3})));
  a[0].fill_(1);
  a[1].fill_(0.5);
  a[2].fill_(0);
  a[3].select(1, 7).select(-1, 1).fill_(nan);
  EXPECT_TRUE(at::equal(Fused(c, a).isnan().all(-1).nonzero(),
                        at::tensor(std::vector<int64_t>{0, 7}).view({1, 2})));
}

TEST(MsDeformAttnFusedEdgeTest, ComputesHalvesInFloat) {
  const Case c{"", 2, 1, 7, 2, 32, 4, {4, 6, 2, 3}};
  const Arguments a = RandomArguments(c, at::kFloat);
  const at::Tensor grad = at::randn({2, 7, 64}).to(at::kBFloat16);
  for (const bool raw_is_half : {false, true}) {
    Arguments half = {a[0].to(at::kBFloat16), a[1], a[2], a[3]};
    if (raw_is_half) {
      half[2] = half[2].to(at::kBFloat16);
      half[3] = half[3].to(at::kBFloat16);
    }
    Arguments wide;
    for (const at::Tensor& t : half) wide.push_back(t.to(at::kFloat));
    EXPECT_TRUE(at::equal(Fused(c, half), Fused(c, wide).to(at::kBFloat16)));
    const auto [v, o, l] = MsDeformAttnFusedBackward(
        grad, half[0], c.level_shapes, half[1], half[2], half[3]);
    const auto [v2, o2, l2] =
        MsDeformAttnFusedBackward(grad.to(at::kFloat), wide[0], c.level_shapes,
                                  wide[1], wide[2], wide[3]);
    EXPECT_TRUE(at::equal(v, v2.to(at::kBFloat16)));
    EXPECT_TRUE(at::equal(o, o2.to(half[2].scalar_type())));
    EXPECT_TRUE(at::equal(l, l2.to(half[3].scalar_type())));
  }
}

TEST(MsDeformAttnFusedEdgeTest, GivesTheSameBitsForAnyNumberOfThreads) {
  const Case c{"", 2, 1, 700, 4, 32, 4, {8, 9, 4, 5, 2, 2}};
  const Arguments a = RandomArguments(c, at::kFloat);
  const at::Tensor grad = at::randn({c.batch, c.queries, 128});
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    auto [v, o, l] =
        MsDeformAttnFusedBackward(grad, a[0], c.level_shapes, a[1], a[2], a[3]);
    return std::vector<at::Tensor>{Fused(c, a), v, o, l};
  };
  const int threads = at::get_num_threads();
  const std::vector<at::Tensor> one = run(1);
  const std::vector<at::Tensor> many = run(5);
  at::set_num_threads(threads);
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_TRUE(at::equal(one[i], many[i])) << "result " << i;
  }
}

TEST(MsDeformAttnFusedOperatorTest, IsPartOfLibTorchsDispatcher) {
  EXPECT_EQ(SchemaOf("mask2former::ms_deform_attn_fused"),
            "mask2former::ms_deform_attn_fused(Tensor value, "
            "int[] level_shapes, Tensor reference_points, Tensor offsets, "
            "Tensor logits) -> Tensor");
  EXPECT_EQ(SchemaOf("mask2former::ms_deform_attn_fused_backward"),
            "mask2former::ms_deform_attn_fused_backward(Tensor grad_output, "
            "Tensor value, int[] level_shapes, Tensor reference_points, "
            "Tensor offsets, Tensor logits) -> (Tensor, Tensor, Tensor)");
  EXPECT_EQ(KernelsOf("mask2former::ms_deform_attn_fused"),
            KernelsOfThisBuild());
  EXPECT_EQ(KernelsOf("mask2former::ms_deform_attn_fused_backward"),
            KernelsOfThisBuild());
}

TEST(MsDeformAttnFusedOperatorTest, IsCalledByName) {
  const Case c{"", 2, 1, 3, 2, 4, 3, {4, 6, 2, 3}};
  const Arguments a = RandomArguments(c, at::kFloat);
  const auto output = CallByName("mask2former::ms_deform_attn_fused",
                                 {a[0], c.level_shapes, a[1], a[2], a[3]});
  ASSERT_EQ(output.size(), 1);
  const at::Tensor grad_output = output[0].toTensor();
  EXPECT_TRUE(at::equal(grad_output, Fused(c, a)));
  const auto gradients =
      CallByName("mask2former::ms_deform_attn_fused_backward",
                 {grad_output, a[0], c.level_shapes, a[1], a[2], a[3]});
  const auto [v, o, l] = MsDeformAttnFusedBackward(
      grad_output, a[0], c.level_shapes, a[1], a[2], a[3]);
  ASSERT_EQ(gradients.size(), 3);
  EXPECT_TRUE(at::equal(gradients[0].toTensor(), v));
  EXPECT_TRUE(at::equal(gradients[1].toTensor(), o));
  EXPECT_TRUE(at::equal(gradients[2].toTensor(), l));
}

// The rest is in ms_deform_attn_check_test.cc.
TEST(MsDeformAttnFusedEdgeTest, NamesTheArgumentThatIsWrong) {
  const Case c{"", 2, 1, 3, 2, 2, 2, {3, 4}};
  Arguments a = RandomArguments(c, at::kFloat);
  EXPECT_THAT(
      [&] {
        MsDeformAttnFusedBackward(at::zeros({2, 3, 5}), a[0], c.level_shapes,
                                  a[1], a[2], a[3]);
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("grad_output must have shape [2, 3, 4]")));
  a[0] = a[0].narrow(1, 0, 11);
  EXPECT_THAT([&] { Fused(c, a); },
              ThrowsMessage<c10::Error>(
                  HasSubstr("value must have shape [*, 12, *, *]")));
}

}  // namespace
}  // namespace mask2former::ops
