#include "mask2former/common/point_sample.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>
#include <torch/types.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mask2former/common/point_sample_reference.h"
#include "mask2former/common/testing/dispatched_operator.h"
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

torch::Tensor Reference(const torch::Tensor& maps,
                        const torch::Tensor& points) {
  return PointSampleReference(maps, std::nullopt, points);
}

torch::Tensor Ours(const torch::Tensor& maps, const torch::Tensor& points) {
  return PointSample(maps, points);
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

TEST(PointSampleTest, EqualsTheReferenceWithAndWithoutGradient) {
  // More points than one chunk; several maps per set of points; odd sizes.
  const torch::Tensor maps =
      (Uniform("maps", {3, 4, 7, 5}) - 0.5).to(torch::kFloat);
  const torch::Tensor points = Points(3, 1100);
  const torch::Tensor expected = Reference(maps, points);
  EXPECT_THAT(PointSample(maps, points),
              TensorNear(expected, /*atol=*/1e-6, /*rtol=*/0.));
  const torch::Tensor recorded =
      PointSample(maps.clone().requires_grad_(), points);
  EXPECT_TRUE(recorded.requires_grad());
  EXPECT_TRUE(at::equal(recorded, PointSample(maps, points)));
  const torch::Tensor in_double = PointSample(maps.to(torch::kDouble), points);
  EXPECT_EQ(in_double.scalar_type(), torch::kDouble);
  EXPECT_THAT(in_double, TensorNear(Reference(maps.to(torch::kDouble), points),
                                    /*atol=*/1e-14, /*rtol=*/0.));
}

TEST(PointSampleTest, ReadsBoolAndBytesAsTheirValues) {
  const torch::Tensor uniform = Uniform("maps", {2, 3, 9, 6});
  const torch::Tensor points = Points(2, 700);
  const torch::Tensor bools = uniform > 0.5;
  EXPECT_THAT(PointSample(bools, points),
              TensorNear(Reference(bools, points), /*atol=*/1e-6, /*rtol=*/0.));
  EXPECT_EQ(PointSample(bools, points).scalar_type(), torch::kFloat);
  // As exact, of values up to 255.
  const torch::Tensor bytes = (256 * uniform).to(torch::kByte);
  EXPECT_THAT(
      PointSample(bytes, points),
      TensorNear(Reference(bytes, points), /*atol=*/256e-6, /*rtol=*/0.));
}

TEST(PointSampleTest, ReadsHalvesAsTheFloatsTheyAre) {
  const torch::Tensor points = Points(1, 50);
  for (const torch::Dtype type : {torch::kHalf, torch::kBFloat16,
                                  torch::kFloat8_e5m2, torch::kFloat8_e4m3fn}) {
    const torch::Tensor maps = Uniform("maps", {1, 2, 4, 4}).to(type);
    const torch::Tensor actual = PointSample(maps, points);
    EXPECT_EQ(actual.scalar_type(), torch::kFloat);
    EXPECT_TRUE(at::equal(actual, PointSample(maps.to(at::kFloat), points)));
  }
}

TEST(PointSampleTest, ItsGradientHasTheTypeOfTheMaps) {
  const torch::Tensor points = Points(1, 50);
  const auto gradient = [&](torch::Dtype type) {
    const torch::Tensor maps = torch::ones({1, 2, 4, 4}, type).requires_grad_();
    PointSample(maps, points).square().sum().backward();
    return maps.grad();
  };
  EXPECT_EQ(gradient(torch::kBFloat16).scalar_type(), torch::kBFloat16);
  EXPECT_TRUE(at::equal(gradient(torch::kBFloat16),
                        gradient(torch::kFloat).to(torch::kBFloat16)));
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

// A point outside shares its place in memory with a pixel that it must neither
// read nor add to; one at the border has two neighbours outside.
TEST(PointSampleTest, PixelsThatDoNotCountMayHoldAnything) {
  const float inf = std::numeric_limits<float>::infinity();
  const torch::Tensor points =
      torch::tensor({-9.f, .5f, 0.f, 0.f}).view({1, 2, 2});
  torch::Tensor maps = torch::ones({1, 1, 2, 2});
  maps.fill_(-inf);
  const torch::Tensor values = PointSample(maps, points);
  EXPECT_EQ(values[0][0][0].item<float>(), 0);
  EXPECT_EQ(values[0][0][1].item<float>(), -inf);
  torch::Tensor read = torch::ones({1, 1, 2, 2}).requires_grad_();
  PointSample(read, points).backward(torch::tensor({inf, 4.f}).view({1, 1, 2}));
  EXPECT_THAT(read.grad(),
              TensorNear(torch::tensor({1.f, 0.f, 0.f, 0.f}).view({1, 1, 2, 2}),
                         /*atol=*/0., /*rtol=*/0.));
}

TEST(PointSampleTest, GradientMatchesCentralDifferences) {
  const torch::Tensor points = Points(2, 9);
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<torch::Tensor>& x) {
        return PointSample(x[0], points);
      },
      {Uniform("maps", {2, 2, 3, 4})}));
}

TEST(PointSampleTest, ItsGradientEqualsTheReferences) {
  const torch::Tensor points = Points(3, 1100);
  std::vector<torch::Tensor> gradients;
  for (const auto function : {&Reference, &Ours}) {
    const torch::Tensor maps =
        Uniform("maps", {3, 4, 7, 5}).to(torch::kFloat).requires_grad_();
    const torch::Tensor output = function(maps, points);
    output.backward(
        Uniform("gradient", {3, 1100, 4}).to(torch::kFloat).transpose(1, 2));
    gradients.push_back(maps.grad());
  }
  // Sums of more than a hundred products.
  EXPECT_THAT(gradients[1], TensorNear(gradients[0], 1e-5, 1e-6));
}

TEST(PointSampleTest, GivesTheSameBitsForAnyNumberOfThreads) {
  const torch::Tensor points = Points(5, 3000);
  const torch::Tensor rows = torch::tensor({1, 0, 1, 1, 2}, torch::kLong);
  const torch::Tensor grad_output =
      Uniform("gradient", {5, 7, 3000}).to(torch::kFloat);
  const torch::Tensor maps = Uniform("maps", {4, 7, 9, 8}).to(torch::kFloat);
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    return std::pair(
        PointSample(maps, rows, points),
        PointSampleBackward(grad_output, rows, points, maps.sizes()));
  };
  const int threads = at::get_num_threads();
  const auto one = run(1), many = run(5);
  at::set_num_threads(threads);
  EXPECT_TRUE(at::equal(one.first, many.first));
  EXPECT_TRUE(at::equal(one.second, many.second));
}

// Which on this one, of shapes only, gets as far as to the step that LibTorch
// has no kernel for there.
TEST(PointSampleTest, DevicesWithoutAKernelTakeTheReference) {
  const auto there = torch::TensorOptions(torch::Device(torch::kMeta));
  const torch::Tensor rows = torch::zeros({5}, there.dtype(torch::kLong));
  const torch::Tensor points = torch::zeros({5, 7, 2}, there);
  for (const bool gradient : {false, true}) {
    const torch::Tensor maps =
        torch::zeros({4, 2, 3, 3}, there).requires_grad_(gradient);
    EXPECT_THAT([&] { PointSample(maps, rows, points); },
                ThrowsMessage<c10::Error>(HasSubstr("aten::index_select")));
  }
}

TEST(PointSampleTest, IsPartOfLibTorchsDispatcher) {
  EXPECT_EQ(SchemaOf("mask2former::point_sample"),
            "mask2former::point_sample(Tensor maps, Tensor? rows, "
            "Tensor points) -> Tensor");
  EXPECT_EQ(SchemaOf("mask2former::point_sample_backward"),
            "mask2former::point_sample_backward(Tensor grad_output, "
            "Tensor? rows, Tensor points, int[] map_sizes) -> Tensor");
  EXPECT_EQ(KernelsOf("mask2former::point_sample"), KernelsOfThisBuild());
  EXPECT_EQ(KernelsOf("mask2former::point_sample_backward"),
            KernelsOfThisBuild());
}

TEST(PointSampleTest, IsCalledByName) {
  const torch::Tensor maps = Uniform("maps", {2, 3, 4, 5});
  const torch::Tensor points = Points(2, 6);
  const auto output =
      CallByName("mask2former::point_sample", {maps, c10::IValue(), points});
  ASSERT_EQ(output.size(), 1);
  EXPECT_TRUE(at::equal(output[0].toTensor(), PointSample(maps, points)));
  const torch::Tensor rows = torch::tensor({1, 1}, torch::kLong);
  const auto gradient =
      CallByName("mask2former::point_sample_backward",
                 {output[0].toTensor(), rows, points, maps.sizes()});
  ASSERT_EQ(gradient.size(), 1);
  EXPECT_TRUE(at::equal(
      gradient[0].toTensor(),
      PointSampleBackward(output[0].toTensor(), rows, points, maps.sizes())));
}

TEST(PointSampleTest, RefusesASecondDerivative) {
  const torch::Tensor maps = torch::ones({2, 1, 3, 3}).requires_grad_();
  const torch::Tensor weights = torch::ones({2, 1, 4}).requires_grad_();
  const torch::Tensor first =
      torch::autograd::grad({PointSample(maps, Points(2, 4))}, {maps},
                            {weights}, /*retain_graph=*/true,
                            /*create_graph=*/true)[0];
  EXPECT_THAT([&] { torch::autograd::grad({first.sum()}, {weights}); },
              ThrowsMessage<c10::Error>(HasSubstr("not implemented")));
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

// As PointSampleRows() reads, which names them instead.
TEST(PointSampleRowsTest, RowsThatDoNotExistReadNothingAndAddNothing) {
  const int64_t huge = std::numeric_limits<int64_t>::max();
  const torch::Tensor rows =
      torch::tensor({int64_t{-1}, int64_t{1}, int64_t{2}, huge, -huge - 1});
  const torch::Tensor maps = torch::ones({2, 3, 1, 1});
  const torch::Tensor points = torch::full({5, 1, 2}, 0.5);
  EXPECT_TRUE(
      at::equal(PointSample(maps, rows, points).flatten(),
                torch::tensor({0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                              torch::kFloat)));
  EXPECT_TRUE(at::equal(PointSampleBackward(torch::full({5, 3, 1}, 2.0), rows,
                                            points, {2, 3, 1, 1})
                            .flatten(),
                        torch::tensor({0, 0, 0, 2, 2, 2}, torch::kFloat)));
  EXPECT_TRUE(at::equal(PointSample(torch::ones({0, 3, 1, 1}), rows, points),
                        torch::zeros({5, 3, 1})));
}

TEST(PointSampleRowsTest, ReadsTheRowsThatAreAskedFor) {
  const torch::Tensor maps = Uniform("maps", {4, 5, 6}).to(torch::kFloat);
  const torch::Tensor rows = torch::tensor({3, 0, 3}, torch::kLong);
  const torch::Tensor points = Points(3, 600);
  const auto expected = [&](const torch::Tensor& maps) {
    return Reference(maps.index_select(0, rows).unsqueeze(1), points)
        .squeeze(1);
  };
  EXPECT_THAT(PointSampleRows(maps, rows, points),
              TensorNear(expected(maps), /*atol=*/1e-6, /*rtol=*/0.));
  EXPECT_THAT(PointSampleRows(maps.clone().requires_grad_(), rows, points),
              TensorNear(expected(maps), /*atol=*/1e-6, /*rtol=*/0.));
  const torch::Tensor bools = maps > 0.5;
  EXPECT_THAT(PointSampleRows(bools, rows, points),
              TensorNear(expected(bools), /*atol=*/1e-6, /*rtol=*/0.));
}

TEST(PointSampleRowsTest, ReadsAllMapsOfAnImage) {
  const torch::Tensor maps = Uniform("maps", {3, 4, 5, 6});
  const torch::Tensor rows = torch::tensor({2, 0, 2}, torch::kLong);
  const torch::Tensor points = Points(3, 600).to(torch::kDouble);
  EXPECT_THAT(PointSample(maps, rows, points),
              TensorNear(Reference(maps.index_select(0, rows), points),
                         /*atol=*/1e-14, /*rtol=*/0.));
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
  EXPECT_TRUE(GradientsMatch(
      [&](const std::vector<torch::Tensor>& x) {
        return PointSample(x[0], rows, points);
      },
      {Uniform("maps", {3, 2, 3, 4})}));
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
