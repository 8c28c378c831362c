#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <string>
#include <tuple>
#include <vector>

#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_reference.h"

namespace mask2former::ops {
namespace {

bool ProcessorHas(CpuVectors vectors) {
#if defined(__x86_64__)
  switch (vectors) {
    case CpuVectors::kPortable:
      return true;
    case CpuVectors::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case CpuVectors::kAvx512:
      return __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl");
  }
#endif
  return vectors == CpuVectors::kPortable;
}

// Channels per head: fewer than a vector, the unrolled 32, and one that takes
// the unrolled, the vector and the scalar loop.
using Parameter = std::tuple<CpuVectors, int64_t>;

class MsDeformAttnCpuKernelTest : public testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    if (!ProcessorHas(std::get<0>(GetParam()))) {
      GTEST_SKIP() << "this processor lacks the instructions";
    }
  }

  template <typename scalar_t>
  void ExpectReference(at::ScalarType type, double tolerance) {
    const auto [vectors, head_dim] = GetParam();
    const MsDeformAttnCpuKernel<scalar_t>* kernel =
        GetMsDeformAttnCpuKernel<scalar_t>(vectors);
    ASSERT_NE(kernel, nullptr);
    const std::vector<int64_t> level_shapes = {2, 3, 5, 4, 9, 7};
    const MsDeformAttnSizes sizes = {/*batch=*/2,    /*positions=*/89,
                                     /*heads=*/3,    head_dim,
                                     /*queries=*/70, /*levels=*/3,
                                     /*points=*/5};
    at::Generator generator = at::detail::createCPUGenerator(3);
    at::Tensor value =
        at::randn({2, 89, 3, head_dim}, generator, type).requires_grad_();
    at::Tensor locations =
        (at::rand({2, 70, 3, 3, 5, 2}, generator, type) * 1.6 - 0.3)
            .requires_grad_();
    at::Tensor weights =
        at::rand({2, 70, 3, 3, 5}, generator, type).requires_grad_();
    const at::Tensor expected =
        MsDeformAttnReference(value, level_shapes, locations, weights);
    const at::Tensor grad_output = at::randn(expected.sizes(), generator, type);
    const std::vector<at::Tensor> gradients = torch::autograd::grad(
        {expected}, {value, locations, weights}, {grad_output});

    // In uneven parts, as threads would.
    at::Tensor output = at::full(expected.sizes(), 1e6, type);
    const MsDeformAttnForwardTask<scalar_t> forward = {
        sizes,
        level_shapes.data(),
        value.const_data_ptr<scalar_t>(),
        locations.const_data_ptr<scalar_t>(),
        weights.const_data_ptr<scalar_t>(),
        output.mutable_data_ptr<scalar_t>()};
    kernel->forward(forward, 0, 13);
    kernel->forward(forward, 13, 13);
    kernel->forward(forward, 13, 2 * 3 * kForwardSplit);
    EXPECT_THAT(output, TensorNear(expected, tolerance, tolerance));

    at::Tensor grad_value = at::full(value.sizes(), 1e6, type);
    at::Tensor grad_locations = at::full(locations.sizes(), 1e6, type);
    at::Tensor grad_weights = at::full(weights.sizes(), 1e6, type);
    const MsDeformAttnBackwardTask<scalar_t> backward = {
        sizes,
        level_shapes.data(),
        grad_output.const_data_ptr<scalar_t>(),
        value.const_data_ptr<scalar_t>(),
        locations.const_data_ptr<scalar_t>(),
        weights.const_data_ptr<scalar_t>(),
        grad_value.mutable_data_ptr<scalar_t>(),
        grad_locations.mutable_data_ptr<scalar_t>(),
        grad_weights.mutable_data_ptr<scalar_t>()};
    kernel->backward(backward, 0, 7);
    kernel->backward(backward, 7, 18);
    // Of sums over up to 70 * 5 samples or 100 channels.
    EXPECT_THAT(grad_value,
                TensorNear(gradients[0], 20 * tolerance, tolerance));
    EXPECT_THAT(grad_locations,
                TensorNear(gradients[1], 200 * tolerance, 20 * tolerance));
    EXPECT_THAT(grad_weights,
                TensorNear(gradients[2], 20 * tolerance, tolerance));
  }
};

TEST_P(MsDeformAttnCpuKernelTest, MatchesTheReferenceInFloat) {
  ExpectReference<float>(at::kFloat, 1e-5);
}

TEST_P(MsDeformAttnCpuKernelTest, MatchesTheReferenceInDouble) {
  ExpectReference<double>(at::kDouble, 1e-12);
}

std::string Name(const testing::TestParamInfo<Parameter>& info) {
  const auto [vectors, head_dim] = info.param;
  const char* const names[] = {"Portable", "Avx2", "Avx512"};
  return names[static_cast<int>(vectors)] + std::to_string(head_dim);
}

INSTANTIATE_TEST_SUITE_P(AllVectors, MsDeformAttnCpuKernelTest,
                         testing::Combine(testing::Values(CpuVectors::kPortable,
                                                          CpuVectors::kAvx2,
                                                          CpuVectors::kAvx512),
                                          testing::Values(1, 6, 32, 64, 93)),
                         Name);

}  // namespace
}  // namespace mask2former::ops
