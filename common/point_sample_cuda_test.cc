#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <torch/types.h>

#include <string>

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

TEST(PointSampleCudaTest, ReadsEveryTypeLikeTheCpu) {
  M2F_REQUIRES_CUDA();
  const torch::Tensor uniform = 200 * Uniform("maps", {3, 4, 7, 5});
  const torch::Tensor points = Points(3, 1100);
  for (const torch::Dtype type :
       {torch::kBool, torch::kByte, torch::kHalf, torch::kBFloat16,
        torch::kFloat, torch::kDouble}) {
    const torch::Tensor maps = uniform.to(type);
    const torch::Tensor expected = PointSample(maps, points);
    const torch::Tensor actual = PointSample(maps.cuda(), points.cuda());
    EXPECT_EQ(actual.scalar_type(), expected.scalar_type());
    EXPECT_THAT(actual.cpu(), TensorNear(expected, /*atol=*/200e-5,
                                         /*rtol=*/1e-4));
  }
}

TEST(PointSampleCudaTest, HasTheCpusGradient) {
  M2F_REQUIRES_CUDA();
  const auto gradient = [](c10::Device device, torch::Dtype type) {
    const torch::Tensor maps =
        Uniform("maps", {2, 3, 6, 5}).to(device, type).requires_grad_();
    const torch::Tensor output = PointSample(maps, Points(2, 400).to(device));
    output.backward(
        Uniform("gradient", {2, 3, 400}).to(device, output.scalar_type()));
    return maps.grad().cpu();
  };
  EXPECT_THAT(gradient(at::kCUDA, torch::kFloat),
              TensorNear(gradient(at::kCPU, torch::kFloat), 1e-4, 1e-4));
  EXPECT_THAT(gradient(at::kCUDA, torch::kDouble),
              TensorNear(gradient(at::kCPU, torch::kDouble), 1e-4, 1e-5));
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
  EXPECT_THAT(gradient, TensorNear(cpu_gradient, 1e-4, 1e-4));
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
