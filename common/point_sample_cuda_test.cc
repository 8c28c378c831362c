#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <cmath>
#include <string>
#include <utility>

#include "mask2former/common/point_sample.h"
#include "mask2former/common/testing/reference_values.h"
#include "mask2former/common/testing/requires_cuda.h"
#include "mask2former/common/testing/tensor_matchers.h"

namespace mask2former {
namespace {

torch::Tensor Uniform(const std::string& name, at::IntArrayRef sizes) {
  return ReferenceUniform(name, c10::multiply_integers(sizes)).view(sizes);
}

// In 0..1 and beyond.
torch::Tensor Points(int64_t n, int64_t t) {
  return (1.3 * Uniform("points", {n, t, 2}) - 0.15).to(torch::kFloat);
}

void ExpectReadsLikeTheCpu(const torch::Tensor& maps,
                           const torch::Tensor& points, double atol,
                           double rtol) {
  const torch::Tensor expected = PointSample(maps, points);
  const torch::Tensor actual = PointSample(maps.cuda(), points.cuda());
  EXPECT_EQ(actual.scalar_type(), expected.scalar_type());
  EXPECT_THAT(actual.cpu(), TensorNear(expected, atol, rtol))
      << maps.scalar_type();
}

// Halves and narrower types, too, are read as the floats they are, so nothing
// is rounded to them.
TEST(PointSampleCudaTest, ReadsEveryTypeLikeTheCpu) {
  M2F_REQUIRES_CUDA();
  const torch::Tensor uniform = Uniform("maps", {3, 4, 7, 5});
  const torch::Tensor points = Points(3, 1100);
  for (const torch::Dtype type : {torch::kHalf, torch::kBFloat16, torch::kFloat,
                                  torch::kFloat8_e5m2, torch::kFloat8_e4m3fn}) {
    ExpectReadsLikeTheCpu(uniform.to(type), points, /*atol=*/1e-5,
                          /*rtol=*/1e-4);
  }
  ExpectReadsLikeTheCpu(uniform > 0.5, points, /*atol=*/1e-5, /*rtol=*/1e-4);
  ExpectReadsLikeTheCpu(uniform, points, /*atol=*/1e-12, /*rtol=*/0.);
}

// At multiples of 1/64, where coordinates and weights are exact: elsewhere a
// coordinate's last bit, times 255, is more than 1e-5 of a value that fades.
TEST(PointSampleCudaTest, ReadsBytesLikeTheCpu) {
  M2F_REQUIRES_CUDA();
  ExpectReadsLikeTheCpu((256 * Uniform("maps", {3, 4, 7, 5})).to(torch::kByte),
                        (64 * Points(3, 1100)).round() / 64, /*atol=*/1e-5,
                        /*rtol=*/1e-4);
}

TEST(PointSampleCudaTest, HasTheCpusGradient) {
  M2F_REQUIRES_CUDA();
  const auto gradient = [](c10::Device device, torch::Dtype type) {
    const torch::Tensor maps =
        Uniform("maps", {2, 3, 6, 5}).to(device, type).requires_grad_();
    const torch::Tensor output = PointSample(maps, Points(2, 400).to(device));
    output.backward(
        Uniform("gradient", {2, 3, 400}).to(device, output.scalar_type()));
    EXPECT_EQ(maps.grad().scalar_type(), type);
    return maps.grad().cpu();
  };
  const auto expect_near = [&](torch::Dtype type, double atol, double rtol) {
    EXPECT_THAT(gradient(at::kCUDA, type),
                TensorNear(gradient(at::kCPU, type), atol, rtol))
        << type;
  };
  expect_near(torch::kFloat, 1e-5, 1e-4);
  expect_near(torch::kDouble, 1e-12, 0.);
  // Summed up in float; then one side may round up where the other rounds down.
  expect_near(torch::kHalf, 1e-5, std::ldexp(1., -10));
  expect_near(torch::kBFloat16, 1e-5, std::ldexp(1., -7));
}

TEST(PointSampleCudaTest, ReadsRowsLikeTheCpu) {
  M2F_REQUIRES_CUDA();
  const torch::Tensor rows = torch::tensor({3, 0, 3}, torch::kLong);
  const torch::Tensor points = Points(3, 600);
  const auto run = [&](c10::Device device) {
    const torch::Tensor maps =
        Uniform("maps", {4, 5, 6}).to(device, torch::kFloat).requires_grad_();
    const torch::Tensor output = PointSampleRows(maps, rows, points.to(device));
    output.sum().backward();
    return std::pair(output.detach().cpu(), maps.grad().cpu());
  };
  const auto [output, gradient] = run(at::kCUDA);
  const auto [cpu_output, cpu_gradient] = run(at::kCPU);
  EXPECT_THAT(output, TensorNear(cpu_output, 1e-5, 1e-4));
  EXPECT_THAT(gradient, TensorNear(cpu_gradient, 1e-5, 1e-4));
}

TEST(PointSampleCudaTest, SaysThatItsGradientIsNotDeterministic) {
  M2F_REQUIRES_CUDA();
  const torch::Tensor maps =
      torch::ones({1, 1, 2, 2}, torch::kCUDA).requires_grad_();
  const torch::Tensor output = PointSample(maps, Points(1, 3).cuda());
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/false);
  EXPECT_THROW(output.sum().backward(), c10::Error);
  at::globalContext().setDeterministicAlgorithms(false, /*warn_only=*/false);
}

}  // namespace
}  // namespace mask2former
