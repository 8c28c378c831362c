#include "mask2former/common/point_sample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "mask2former/common/testing/gradient_check.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

torch::Tensor Uniform(const std::string& name, at::IntArrayRef sizes) {
  return ReferenceUniform(name, c10::multiply_integers(sizes)).view(sizes);
}

// The meaning: detectron2's definition, one call of LibTorch:
// bilinear, zeros outside.
torch::Tensor ByGridSample(const torch::Tensor& maps,
                           const torch::Tensor& points) {
  return at::grid_sampler(maps, 2 * points.unsqueeze(1) - 1,
                          /*interpolation_mode=*/0, /*padding_mode=*/0,
                          /*align_corners=*/false)
      .squeeze(2);
}

// Points in 0..1, at the very border, and beyond it.
torch::Tensor Points(int64_t n, int64_t t) {
  torch::Tensor points =
      (1.3 * Uniform("points", {n, t, 2}) - 0.15).to(torch::kFloat);
  const torch::Tensor border = torch::tensor({0.f, 0.f, 1.f, 1.f}).view({2, 2});
  points.narrow(1, 0, 2).copy_(border.expand({n, 2, 2}));
  return points;
}

TEST(PointSampleTest, ReadsTheReferenceValues) {
  const torch::Tensor map = torch::arange(6, torch::kFloat).view({1, 1, 2, 3});
  const torch::Tensor points =
      torch::tensor({0., 0., .5, .5, 1., 1., .25, .75, 1. / 6, .25, .9, .1},
                    torch::kFloat)
          .view({1, 6, 2});
  EXPECT_THAT(
      PointSample(map, points),
      TensorNear(torch::tensor({0., 2.5, 1.25, 3.25, 0., 1.12}).view({1, 1, 6}),
                 /*atol=*/1e-6, /*rtol=*/0.));
}

TEST(PointSampleTest, EqualsGridSampleWithAndWithoutGradient) {
  // More points than one chunk; several maps per set of points; odd sizes.
  const torch::Tensor maps =
      (Uniform("maps", {3, 4, 7, 5}) - 0.5).to(torch::kFloat);
  const torch::Tensor points = Points(3, 1100);
  const torch::Tensor expected = ByGridSample(maps, points);
  EXPECT_THAT(PointSample(maps, points),
              TensorNear(expected, /*atol=*/1e-6, /*rtol=*/0.));
  EXPECT_THAT(PointSample(maps.clone().requires_grad_(), points),
              TensorNear(expected, /*atol=*/0., /*rtol=*/0.));
  const torch::Tensor in_double = PointSample(maps.to(torch::kDouble), points);
  EXPECT_EQ(in_double.scalar_type(), torch::kDouble);
  EXPECT_THAT(in_double, TensorNear(expected, /*atol=*/2e-6, /*rtol=*/0.));
}

TEST(PointSampleTest, ReadsBoolAndBytesAsTheirValues) {
  const torch::Tensor uniform = Uniform("maps", {2, 3, 9, 6});
  const torch::Tensor points = Points(2, 700);
  const torch::Tensor bools = uniform > 0.5;
  EXPECT_THAT(PointSample(bools, points),
              TensorNear(ByGridSample(bools.to(torch::kFloat), points),
                         /*atol=*/1e-6, /*rtol=*/0.));
  EXPECT_EQ(PointSample(bools, points).scalar_type(), torch::kFloat);
  // As exact, of values up to 255.
  const torch::Tensor bytes = (256 * uniform).to(torch::kByte);
  EXPECT_THAT(PointSample(bytes, points),
              TensorNear(ByGridSample(bytes.to(torch::kFloat), points),
                         /*atol=*/256e-6, /*rtol=*/0.));
}

TEST(PointSampleTest, ReadsHalfPrecisionInFloat) {
  const torch::Tensor maps = Uniform("maps", {1, 2, 4, 4}).to(torch::kBFloat16);
  const torch::Tensor points = Points(1, 50);
  const torch::Tensor actual = PointSample(maps, points);
  EXPECT_EQ(actual.scalar_type(), torch::kFloat);
  EXPECT_THAT(actual, TensorNear(ByGridSample(maps.to(torch::kFloat), points),
                                 /*atol=*/1e-6, /*rtol=*/0.));
}

TEST(PointSampleTest, AcceptsStridedMapsAndPoints) {
  const torch::Tensor maps =
      Uniform("maps", {2, 5, 4, 3}).to(torch::kFloat).permute({0, 3, 2, 1});
  const torch::Tensor points =
      Points(2, 20).permute({2, 1, 0}).contiguous().permute({2, 1, 0});
  ASSERT_FALSE(maps.is_contiguous());
  ASSERT_FALSE(points.is_contiguous());
  EXPECT_THAT(PointSample(maps, points),
              TensorNear(PointSample(maps.contiguous(), points.contiguous()),
                         /*atol=*/0., /*rtol=*/0.));
}

TEST(PointSampleTest, AcceptsNothing) {
  const auto sizes = [](int64_t n, int64_t c, int64_t t, torch::Dtype type) {
    return PointSample(torch::zeros({n, c, 2, 2}, type),
                       torch::zeros({n, t, 2}))
        .sizes()
        .vec();
  };
  for (const torch::Dtype type : {torch::kBool, torch::kFloat}) {
    EXPECT_THAT(sizes(0, 3, 4, type), ElementsAre(0, 3, 4));
    EXPECT_THAT(sizes(2, 0, 4, type), ElementsAre(2, 0, 4));
    EXPECT_THAT(sizes(2, 3, 0, type), ElementsAre(2, 3, 0));
  }
}

TEST(PointSampleTest, ReadsZeroFarOutsideAndAtNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const torch::Tensor points =
      torch::tensor({-9.f, .5f, .5f, 9.f, nan, .5f, 1e30f, .5f})
          .view({1, 4, 2});
  EXPECT_THAT(PointSample(torch::ones({1, 1, 3, 3}, torch::kBool), points),
              TensorNear(torch::zeros({1, 1, 4}), /*atol=*/0., /*rtol=*/0.));
}

TEST(PointSampleTest, GradientMatchesCentralDifferences) {
  const torch::Tensor points = Points(2, 9);
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<torch::Tensor>& x) {
        return PointSample(x[0], points);
      },
      {Uniform("maps", {2, 2, 3, 4})}));
}

TEST(PointSampleTest, NamesTheArgumentWhoseShapeIsWrong) {
  EXPECT_THAT(
      [] {
        PointSample(torch::zeros({1, 2, 2}), torch::zeros({1, 1, 2}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("maps must have shape")));
  EXPECT_THAT(
      [] {
        PointSample(torch::zeros({1, 1, 2, 2}), torch::zeros({2, 1, 2}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("points must have shape")));
  EXPECT_THAT(
      [] {
        PointSample(torch::zeros({1, 1, 0, 2}), torch::zeros({1, 1, 2}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("maps must have pixels")));
}

TEST(PointSampleTest, WantsMapsAndPointsOnOneDevice) {
  const auto there = [](at::IntArrayRef sizes) {
    return torch::zeros(sizes, torch::Device(torch::kMeta));
  };
  EXPECT_THAT(
      [&] {
        PointSample(torch::zeros({1, 1, 2, 2}), there({1, 1, 2}));
      },
      ThrowsMessage<c10::Error>(HasSubstr(
          "maps and points must be on one device, got cpu and meta")));
  EXPECT_THAT(
      [&] {
        PointSample(there({1, 1, 2, 2}), torch::zeros({1, 1, 2}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("got meta and cpu")));
  EXPECT_THAT(
      [&] {
        PointSampleRows(torch::zeros({1, 2, 2}, torch::kBool),
                        torch::zeros({1}, torch::kLong), there({1, 1, 2}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("got cpu and meta")));
}

TEST(PointSampleRowsTest, RefusesASecondDerivative) {
  const torch::Tensor maps = torch::ones({2, 3, 3}).requires_grad_();
  const torch::Tensor weights = torch::ones({1, 4}).requires_grad_();
  const torch::Tensor output =
      PointSampleRows(maps, torch::zeros({1}, torch::kLong), Points(1, 4));
  EXPECT_THAT(
      [&] {
        torch::autograd::grad({output}, {maps}, {weights},
                              /*retain_graph=*/true, /*create_graph=*/true);
      },
      ThrowsMessage<c10::Error>(HasSubstr("without create_graph")));
}

TEST(PointSampleRowsTest, ReadsTheRowsThatAreAskedFor) {
  const torch::Tensor maps = Uniform("maps", {4, 5, 6}).to(torch::kFloat);
  const torch::Tensor rows = torch::tensor({3, 0, 3}, torch::kLong);
  const torch::Tensor points = Points(3, 600);
  const torch::Tensor expected =
      ByGridSample(maps.index_select(0, rows).unsqueeze(1), points).squeeze(1);
  EXPECT_THAT(PointSampleRows(maps, rows, points),
              TensorNear(expected, /*atol=*/1e-6, /*rtol=*/0.));
  EXPECT_THAT(PointSampleRows(maps.clone().requires_grad_(), rows, points),
              TensorNear(expected, /*atol=*/1e-6, /*rtol=*/0.));
  const torch::Tensor bools = maps > 0.5;
  EXPECT_THAT(
      PointSampleRows(bools, rows, points),
      TensorNear(ByGridSample(
                     bools.to(torch::kFloat).index_select(0, rows).unsqueeze(1),
                     points)
                     .squeeze(1),
                 /*atol=*/1e-6, /*rtol=*/0.));
}

TEST(PointSampleRowsTest, GradientMatchesCentralDifferences) {
  // A row that is read twice adds up, one that is not read has gradient 0.
  const torch::Tensor rows = torch::tensor({2, 0, 2}, torch::kLong);
  const torch::Tensor points = Points(3, 9);
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<torch::Tensor>& x) {
        return PointSampleRows(x[0], rows, points);
      },
      {Uniform("maps", {3, 3, 4})}));
}

TEST(PointSampleRowsTest, WithoutRowsIsEmptyAndStaysConnected) {
  const torch::Tensor maps = torch::ones({3, 4, 5}).requires_grad_();
  const torch::Tensor rows = torch::empty({0}, torch::kLong);
  const torch::Tensor values =
      PointSampleRows(maps, rows, torch::empty({0, 7, 2}));
  EXPECT_THAT(values.sizes(), ElementsAre(0, 7));
  values.sum().backward();
  EXPECT_THAT(maps.grad(),
              TensorNear(torch::zeros({3, 4, 5}), /*atol=*/0., /*rtol=*/0.));
  EXPECT_THAT(PointSampleRows(torch::ones({0, 4, 5}, torch::kBool), rows,
                              torch::empty({0, 7, 2}))
                  .sizes(),
              ElementsAre(0, 7));
}

TEST(PointSampleRowsTest, NamesARowThatDoesNotExist) {
  EXPECT_THAT(
      [] {
        PointSampleRows(torch::zeros({2, 3, 3}, torch::kBool),
                        torch::tensor({1, 2}, torch::kLong),
                        torch::zeros({2, 1, 2}));
      },
      ThrowsMessage<c10::Error>(HasSubstr("rows[1] must be in 0 .. 1, got 2")));
}

}  // namespace
}  // namespace mask2former
