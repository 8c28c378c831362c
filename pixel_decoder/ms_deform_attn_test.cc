#include "mask2former/pixel_decoder/ms_deform_attn.h"

#include <ATen/ATen.h>
#include <ATen/autocast_mode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "mask2former/common/testing/gradient_check.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_reference.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr MsDeformAttnOptions kSmall = {/*channels=*/6, /*num_levels=*/2,
                                        /*num_heads=*/2, /*num_points=*/3};
const std::vector<int64_t> kShapes = {2, 3, 4, 5};

at::Tensor Values(const std::string& name, at::IntArrayRef sizes) {
  int64_t count = 1;
  for (const int64_t size : sizes) count *= size;
  return ReferenceUniform(name, count).view(sizes);
}

struct Arguments {
  at::Tensor queries = 2 * Values("queries", {2, 5, 6}) - 1;
  at::Tensor points = Values("points", {2, 5, 2, 2});
  at::Tensor values = 2 * Values("values", {2, 26, 6}) - 1;
};

TEST(MsDeformAttnLayerTest, ComputesTheFormula) {
  MsDeformAttn layer(kSmall);
  FillWithReferenceValues(layer, "layer:");
  layer.to(at::kDouble);
  const Arguments a;
  const auto parameters = layer.named_parameters();
  const auto linear = [&](const at::Tensor& x, const std::string& name) {
    return x.matmul(parameters[name + ".weight"].t()) +
           parameters[name + ".bias"];
  };
  // Offsets count pixels: x by the level's width, y by its height.
  const at::Tensor sizes =
      at::tensor({3., 2., 5., 4.}, at::kDouble).view({1, 1, 1, 2, 1, 2});
  const at::Tensor locations =
      a.points.view({2, 5, 1, 2, 1, 2}) +
      linear(a.queries, "sampling_offsets").view({2, 5, 2, 2, 3, 2}) / sizes;
  const at::Tensor weights = linear(a.queries, "attention_weights")
                                 .view({2, 5, 2, 6})
                                 .softmax(-1)
                                 .view({2, 5, 2, 2, 3});
  const at::Tensor expected =
      linear(ops::MsDeformAttnReference(
                 linear(a.values, "value_proj").view({2, 26, 2, 3}), kShapes,
                 locations, weights),
             "output_proj");
  EXPECT_THAT(layer.forward(a.queries, a.points, a.values, kShapes),
              TensorNear(expected, 1e-12, 1e-12));
  const c10::NoGradGuard no_grad;
  EXPECT_THAT(layer.forward(a.queries, a.points, a.values, kShapes),
              TensorNear(expected, 1e-12, 1e-12));
}

TEST(MsDeformAttnLayerTest, OneRowOfReferencePointsServesTheWholeBatch) {
  MsDeformAttn layer(kSmall);
  FillWithReferenceValues(layer, "layer:");
  layer.to(at::kDouble);
  const Arguments a;
  const at::Tensor one = a.points.narrow(0, 0, 1);
  EXPECT_THAT(layer.forward(a.queries, one, a.values, kShapes),
              TensorNear(layer.forward(a.queries, one.expand({2, -1, -1, -1}),
                                       a.values, kShapes),
                         0., 0.));
}

TEST(MsDeformAttnLayerTest, GradientsMatchCentralDifferences) {
  MsDeformAttn layer(kSmall);
  FillWithReferenceValues(layer, "layer:");
  layer.to(at::kDouble);
  const Arguments a;
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<at::Tensor>& x) {
        return layer.forward(x[0], x[1], x[2], kShapes);
      },
      {a.queries, a.points, a.values}));
}

TEST(MsDeformAttnLayerTest, GradientReachesEveryParameter) {
  MsDeformAttn layer(kSmall);
  FillWithReferenceValues(layer, "layer:");
  layer.to(at::kDouble);
  const Arguments a;
  layer.forward(a.queries, a.points, a.values, kShapes)
      .square()
      .sum()
      .backward();
  for (const auto& item : layer.named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_GT(item.value().grad().abs().max().item<double>(), 0) << item.key();
  }
}

TEST(MsDeformAttnLayerTest, StartsWithARingOfOffsetsAndEqualWeights) {
  const MsDeformAttn layer({});
  const auto parameters = layer.named_parameters();
  const double directions[8][2] = {{1, 0},  {1, 1},   {0, 1},  {-1, 1},
                                   {-1, 0}, {-1, -1}, {0, -1}, {1, -1}};
  const at::Tensor bias =
      parameters["sampling_offsets.bias"].detach().view({8, 3, 4, 2});
  for (int m = 0; m < 8; ++m) {
    for (int l = 0; l < 3; ++l) {
      for (int p = 0; p < 4; ++p) {
        for (int i = 0; i < 2; ++i) {
          EXPECT_NEAR(bias[m][l][p][i].item<double>(),
                      directions[m][i] * (p + 1), 1e-6);
        }
      }
    }
  }
  for (const char* name :
       {"sampling_offsets.weight", "attention_weights.weight",
        "attention_weights.bias", "value_proj.bias", "output_proj.bias"}) {
    EXPECT_EQ(parameters[name].abs().max().item<float>(), 0) << name;
  }
  for (const char* name : {"value_proj.weight", "output_proj.weight"}) {
    const double bound = std::sqrt(6.0 / 512);
    const double largest = parameters[name].abs().max().item<double>();
    EXPECT_LE(largest, bound * (1 + 1e-6)) << name;
    EXPECT_GT(largest, 0.99 * bound) << name;
  }
}

TEST(MsDeformAttnLayerTest, StaysInFloatUnderAutocast) {
  MsDeformAttn layer(kSmall);
  FillWithReferenceValues(layer, "layer:");
  const Arguments a;
  const at::Tensor queries = a.queries.to(at::kFloat);
  const at::Tensor points = a.points.to(at::kFloat);
  const at::Tensor values = a.values.to(at::kFloat);
  const at::Tensor expected = layer.forward(queries, points, values, kShapes);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  const at::Tensor actual = layer.forward(queries, points, values, kShapes);
  at::autocast::set_autocast_enabled(at::kCPU, false);
  EXPECT_EQ(actual.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(actual, expected));
}

TEST(MsDeformAttnLayerTest, NamesTheArgumentThatIsWrong) {
  MsDeformAttn layer(kSmall);
  layer.to(at::kDouble);
  const Arguments a;
  EXPECT_THAT(
      [&] {
        layer.forward(a.queries.narrow(2, 0, 5), a.points, a.values, kShapes);
      },
      ThrowsMessage<c10::Error>(HasSubstr("queries must have shape")));
  EXPECT_THAT(
      [&] {
        layer.forward(a.queries, a.points.narrow(1, 0, 4), a.values, kShapes);
      },
      ThrowsMessage<c10::Error>(HasSubstr("reference_points must have shape")));
  EXPECT_THAT(
      [&] {
        layer.forward(a.queries, a.points, a.values.narrow(1, 0, 20), kShapes);
      },
      ThrowsMessage<c10::Error>(HasSubstr("value must have shape")));
  EXPECT_THAT(
      [&] {
        layer.forward(a.queries, a.points, a.values, {2, 3});
      },
      ThrowsMessage<c10::Error>(HasSubstr("must hold 2 (H, W) pairs")));
  EXPECT_THAT(
      [] {
        MsDeformAttn layer({7, 1, 2, 1});
      },
      ThrowsMessage<c10::Error>(
          HasSubstr("num_heads (2) must divide channels (7)")));
  EXPECT_THAT(
      [] {
        MsDeformAttn layer({8, 0, 2, 1});
      },
      ThrowsMessage<c10::Error>(HasSubstr("must be positive")));
}

}  // namespace
}  // namespace mask2former
