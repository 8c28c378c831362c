#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <string>
#include <vector>

#include "mask2former/common/testing/requires_cuda.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/train/optimizer/adamw.h"
#include "mask2former/train/optimizer/clip_gradients.h"

namespace mask2former {
namespace {

struct Result {
  at::Tensor first, second, norm;
  std::map<std::string, at::Tensor> state;
};

// Four steps, of which the second is skipped and the third lacks a gradient.
Result Train(c10::Device device) {
  const auto make = [&](at::IntArrayRef sizes) {
    return at::ones(sizes, device).set_requires_grad(true);
  };
  Result result = {make({3, 5}), make({7}), {}, {}};
  Adamw adamw({{1e-2, 0.05, {"first"}, {result.first}},
               {1e-3, 0, {"second"}, {result.second}}},
              {});
  for (int step = 0; step < 4; ++step) {
    adamw.ZeroGrad();
    result.first.mutable_grad() =
        (at::arange(15, at::kFloat).view({3, 5}) - step).to(device);
    if (step == 1) {
      result.first.mutable_grad()[1][2] =
          std::numeric_limits<float>::infinity();
    }
    if (step != 2) {
      result.second.mutable_grad() =
          at::full({7}, 1. + step, at::TensorOptions().device(device));
    }
    result.norm = ClipGradients(adamw.Gradients(), 0.5, /*scale=*/4);
    adamw.Step(0.5, result.norm);
  }
  result.state = adamw.State();
  return result;
}

TEST(AdamwCudaTest, EqualsTheCpu) {
  M2F_REQUIRES_CUDA();
  const Result cpu = Train(at::kCPU), cuda = Train(at::kCUDA);
  EXPECT_THAT(cuda.first.cpu(), TensorNear(cpu.first, 1e-6, 1e-6));
  EXPECT_THAT(cuda.second.cpu(), TensorNear(cpu.second, 1e-6, 1e-6));
  EXPECT_THAT(cuda.norm.cpu(), TensorNear(cpu.norm, 0., 1e-6));
  for (const auto& [name, tensor] : cpu.state) {
    EXPECT_THAT(cuda.state.at(name).cpu(), TensorNear(tensor, 1e-6, 1e-5))
        << name;
  }
  EXPECT_EQ(cuda.state.at("step.first").item<float>(), 3);
  EXPECT_EQ(cuda.state.at("step.second").item<float>(), 2);
}

}  // namespace
}  // namespace mask2former
