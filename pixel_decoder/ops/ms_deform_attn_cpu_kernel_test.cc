#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "mask2former/common/testing/sparse_array.h"
#include "mask2former/common/testing/tensor_matchers.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_best_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_reference.h"

namespace mask2former::ops {
namespace {

template <typename scalar_t>
MsDeformAttnForwardTask<scalar_t> ForwardTask(
    const MsDeformAttnSizes& sizes, const std::vector<int64_t>& level_shapes,
    const at::Tensor& value, const at::Tensor& locations,
    const at::Tensor& weights, at::Tensor& output) {
  return {sizes,
          level_shapes.data(),
          value.const_data_ptr<scalar_t>(),
          locations.const_data_ptr<scalar_t>(),
          weights.const_data_ptr<scalar_t>(),
          output.mutable_data_ptr<scalar_t>()};
}

// Channels per head: fewer than a vector, the unrolled 32, and one that takes
// the unrolled, the vector and the scalar loop.
using Parameter = std::tuple<CpuVectors, int64_t>;

class MsDeformAttnCpuKernelTest : public testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    if (std::get<0>(GetParam()) > BestCpuVectors()) {
      GTEST_SKIP() << "this processor lacks the instructions";
    }
  }

  // Of what the reference is compared with.
  static MsDeformAttnSizes Sizes() {
    return {/*batch=*/2,
            /*positions=*/89,
            /*heads=*/3,
            /*head_dim=*/std::get<1>(GetParam()),
            /*queries=*/70,
            /*levels=*/3,
            /*points=*/5};
  }
  const std::vector<int64_t> level_shapes_ = {2, 3, 5, 4, 9, 7};

  template <typename scalar_t>
  void ExpectReference(at::ScalarType type, double tolerance) {
    const auto [vectors, head_dim] = GetParam();
    const auto* kernel = GetMsDeformAttnCpuKernel<scalar_t>(vectors);
    ASSERT_NE(kernel, nullptr);
    const MsDeformAttnSizes sizes = Sizes();
    at::Generator generator = at::detail::createCPUGenerator(3);
    at::Tensor value =
        at::randn({2, 89, 3, head_dim}, generator, type).requires_grad_();
    at::Tensor locations =
        (at::rand({2, 70, 3, 3, 5, 2}, generator, type) * 1.6 - 0.3)
            .requires_grad_();
    at::Tensor weights =
        at::rand({2, 70, 3, 3, 5}, generator, type).requires_grad_();
    const at::Tensor expected =
        MsDeformAttnReference(value, level_shapes_, locations, weights);
    const at::Tensor grad_output = at::randn(expected.sizes(), generator, type);
    const std::vector<at::Tensor> gradients = torch::autograd::grad(
        {expected}, {value, locations, weights}, {grad_output});

    // In uneven parts, as threads would.
    at::Tensor output = at::full(expected.sizes(), 1e6, type);
    const auto forward = ForwardTask<scalar_t>(sizes, level_shapes_, value,
                                               locations, weights, output);
    kernel->forward(forward, 0, 13);
    kernel->forward(forward, 13, 13);
    kernel->forward(forward, 13, 2 * 3 * kForwardSplit);
    EXPECT_THAT(output, TensorNear(expected, tolerance, tolerance));

    at::Tensor grad_value = at::full(value.sizes(), 1e6, type);
    at::Tensor grad_locations = at::full(locations.sizes(), 1e6, type);
    at::Tensor grad_weights = at::full(weights.sizes(), 1e6, type);
    const MsDeformAttnBackwardTask<scalar_t> backward = {
        sizes,
        level_shapes_.data(),
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

  // Forward, and the three steps of the backward direction.
  template <typename scalar_t>
  void ExpectFusedReference(at::ScalarType type, int64_t reference_batch,
                            double tolerance) {
    const auto [vectors, head_dim] = GetParam();
    const auto* kernel = GetMsDeformAttnCpuKernel<scalar_t>(vectors);
    ASSERT_NE(kernel, nullptr);
    const MsDeformAttnSizes sizes = Sizes();
    at::Generator generator = at::detail::createCPUGenerator(4);
    at::Tensor value =
        at::randn({2, 89, 3, head_dim}, generator, type).requires_grad_();
    const at::Tensor points =
        at::rand({reference_batch, 70, 3, 2}, generator, type) * 1.2 - 0.1;
    at::Tensor offsets =
        (2 * at::randn({2, 70, 3, 3, 5, 2}, generator, type)).requires_grad_();
    // Far apart, so that some weights vanish.
    at::Tensor logits =
        (20 * at::randn({2, 70, 3, 3, 5}, generator, type)).requires_grad_();
    const at::Tensor level_sizes = at::tensor(level_shapes_)
                                       .view({3, 2})
                                       .flip(1)
                                       .to(type)
                                       .view({1, 1, 1, 3, 1, 2});
    const at::Tensor expected = MsDeformAttnReference(
        value, level_shapes_,
        points.unsqueeze(2).unsqueeze(4) + offsets / level_sizes,
        logits.flatten(3).softmax(-1).view_as(logits));
    const at::Tensor grad_output = at::randn(expected.sizes(), generator, type);
    const std::vector<at::Tensor> gradients = torch::autograd::grad(
        {expected}, {value, offsets, logits}, {grad_output});

    at::Tensor centres = at::full({reference_batch, 70, 3, 5, 2}, 1e6, type);
    FillMsDeformAttnCentres(sizes, level_shapes_.data(),
                            points.const_data_ptr<scalar_t>(), reference_batch,
                            centres.mutable_data_ptr<scalar_t>());
    at::Tensor output = at::full(expected.sizes(), 1e6, type);
    const MsDeformAttnFusedTask<scalar_t> forward = {
        sizes,
        level_shapes_.data(),
        value.const_data_ptr<scalar_t>(),
        centres.const_data_ptr<scalar_t>(),
        reference_batch,
        offsets.const_data_ptr<scalar_t>(),
        logits.const_data_ptr<scalar_t>(),
        output.mutable_data_ptr<scalar_t>()};
    kernel->fused_forward(forward, 0, 13);
    kernel->fused_forward(forward, 13, 2 * 3 * kForwardSplit);
    EXPECT_THAT(output, TensorNear(expected, tolerance, tolerance));

    at::Tensor locations = at::full(offsets.sizes(), 1e6, type);
    at::Tensor weights = at::full(logits.sizes(), 1e6, type);
    at::Tensor grad_value = at::full(value.sizes(), 1e6, type);
    at::Tensor grad_offsets = at::full(offsets.sizes(), 1e6, type);
    at::Tensor grad_logits = at::full(logits.sizes(), 1e6, type);
    const MsDeformAttnFusedGradientTask<scalar_t> fused = {
        sizes,
        level_shapes_.data(),
        centres.const_data_ptr<scalar_t>(),
        reference_batch,
        offsets.const_data_ptr<scalar_t>(),
        logits.const_data_ptr<scalar_t>(),
        locations.mutable_data_ptr<scalar_t>(),
        weights.mutable_data_ptr<scalar_t>(),
        grad_offsets.mutable_data_ptr<scalar_t>(),
        grad_logits.mutable_data_ptr<scalar_t>()};
    const MsDeformAttnBackwardTask<scalar_t> plain = {
        sizes,
        level_shapes_.data(),
        grad_output.const_data_ptr<scalar_t>(),
        value.const_data_ptr<scalar_t>(),
        fused.locations,
        fused.weights,
        grad_value.mutable_data_ptr<scalar_t>(),
        fused.grad_offsets,
        fused.grad_logits};
    kernel->fill_samples(fused, 0, 31);
    kernel->fill_samples(fused, 31, 2 * 70);
    kernel->backward(plain, 0, 2 * 3 * 3);
    kernel->finish_gradients(fused, 0, 99);
    kernel->finish_gradients(fused, 99, 2 * 70);
    EXPECT_THAT(grad_value,
                TensorNear(gradients[0], 20 * tolerance, 20 * tolerance));
    EXPECT_THAT(grad_offsets,
                TensorNear(gradients[1], 200 * tolerance, 20 * tolerance));
    EXPECT_THAT(grad_logits,
                TensorNear(gradients[2], 100 * tolerance, 20 * tolerance));
  }
};

TEST_P(MsDeformAttnCpuKernelTest, MatchesTheReferenceInFloat) {
  ExpectReference<float>(at::kFloat, 1e-5);
}

TEST_P(MsDeformAttnCpuKernelTest, MatchesTheReferenceInDouble) {
  ExpectReference<double>(at::kDouble, 1e-12);
}

// With many queries heads are copied, with few they are read where they are.
TEST_P(MsDeformAttnCpuKernelTest, ReadsNothingFarOutsideAndZerosBeside) {
  const auto [vectors, head_dim] = GetParam();
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<int64_t> level_shapes = {2, 3, 1, 2};
  // Below, above, left and right of both levels, at no place, and far away.
  const std::vector<float> places = {
      .5f, 1.75f, .5f, -.75f, -.75f, .5f,  1.75f, .5f, nan, .5f,
      .5f, nan,   inf, .5f,   .5f,   -inf, 1e9f,  .5f, .5f, -1e9f};
  for (const int64_t queries : {1, 60}) {
    const MsDeformAttnSizes sizes = {/*batch=*/1,  /*positions=*/8,
                                     /*heads=*/2,  head_dim,
                                     queries,      /*levels=*/2,
                                     /*points=*/10};
    const at::Tensor value = at::full({1, 8, 2, head_dim}, nan);
    const at::Tensor locations =
        at::tensor(places).repeat({queries * 2 * 2}).contiguous();
    const at::Tensor weights = at::full({1, queries, 2, 2, 10}, inf);
    at::Tensor output = at::full({1, queries, 2 * head_dim}, 1e6f);
    const auto* kernel = GetMsDeformAttnCpuKernel<float>(vectors);
    kernel->forward(ForwardTask<float>(sizes, level_shapes, value, locations,
                                       weights, output),
                    0, 2 * kForwardSplit);
    EXPECT_THAT(output, TensorNear(at::zeros_like(output), 0., 0.));

    // Half a pixel outside a corner: a quarter of the pixel there.
    const at::Tensor ones = at::ones_like(value);
    const at::Tensor corner = at::zeros_like(locations);
    const at::Tensor one = at::ones_like(weights);
    kernel->forward(
        ForwardTask<float>(sizes, level_shapes, ones, corner, one, output), 0,
        2 * kForwardSplit);
    EXPECT_THAT(output, TensorNear(at::full_like(output, 5.f), 0., 0.));
  }
}

TEST_P(MsDeformAttnCpuKernelTest, FusedMatchesTheReferenceInFloat) {
  ExpectFusedReference<float>(at::kFloat, /*reference_batch=*/1, 2e-5);
  ExpectFusedReference<float>(at::kFloat, /*reference_batch=*/2, 2e-5);
}

TEST_P(MsDeformAttnCpuKernelTest, FusedMatchesTheReferenceInDouble) {
  ExpectFusedReference<double>(at::kDouble, /*reference_batch=*/1, 1e-12);
  ExpectFusedReference<double>(at::kDouble, /*reference_batch=*/2, 1e-12);
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

const MsDeformAttnCpuKernel<float>& Best() {
  return *GetMsDeformAttnCpuKernel<float>(BestCpuVectors());
}

// The last image begins behind 2^31 numbers. Only its own parts are run, in
// which a query reads the last pixel, and nothing of the first level.
TEST(MsDeformAttnCpuKernelSizeTest, ReadsAndAddsBehindTwoToTheThirtyOne) {
  const MsDeformAttnSizes sizes = {/*batch=*/33,  (1 << 21) + 4,
                                   /*heads=*/1,   /*head_dim=*/32,
                                   /*queries=*/1, /*levels=*/2,
                                   /*points=*/1};
  const int64_t level_shapes[] = {1024, 2048, 2, 2};
  const size_t count = size_t{33} * sizes.positions * 32;
  ASSERT_GT(count - 32 * sizes.positions, size_t{1} << 31);
  SparseArray<float> value(count), grad_value(count);
  std::fill_n(value.data() + count - 32, 32, 3.0f);
  std::fill_n(grad_value.data() + count - 64, 64, 7.0f);
  std::vector<float> locations, weights;
  for (int b = 0; b < 33; ++b) {
    locations.insert(locations.end(), {2, 2, 0.75, 0.75});
    weights.insert(weights.end(), {1, 0.5});
  }
  std::vector<float> output(33 * 32), grad_output(33 * 32, 2);
  std::vector<float> grad_locations(33 * 4), grad_weights(33 * 2);
  const int64_t last_forward = 33 * kForwardSplit - kForwardSplit;
  Best().forward({sizes, level_shapes, value.data(), locations.data(),
                  weights.data(), output.data()},
                 last_forward, last_forward + kForwardSplit);
  EXPECT_EQ(std::count(output.end() - 32, output.end(), 1.5f), 32);
  Best().backward({sizes, level_shapes, grad_output.data(), value.data(),
                   locations.data(), weights.data(), grad_value.data(),
                   grad_locations.data(), grad_weights.data()},
                  33 * 2 - 1, 33 * 2);
  const float* const end = grad_value.data() + count;
  EXPECT_EQ(std::count(end - 32, end, 1.0f), 32);
  EXPECT_EQ(std::count(end - 64, end - 32, 0.0f), 32);
  EXPECT_EQ(grad_weights.back(), 32 * 3 * 2);

  const std::vector<float> points = {2, 2, 0.75, 0.75};
  std::vector<float> centres(4);
  FillMsDeformAttnCentres(sizes, level_shapes, points.data(), 1,
                          centres.data());
  const std::vector<float> offsets(33 * 4), logits(33 * 2);
  output.assign(output.size(), 0);
  Best().fused_forward(
      {sizes, level_shapes, value.data(), centres.data(), /*centre_batch=*/1,
       offsets.data(), logits.data(), output.data()},
      last_forward, last_forward + kForwardSplit);
  EXPECT_EQ(std::count(output.end() - 32, output.end(), 1.5f), 32);
}

// 2^31 samples, of which the last two are worked on.
TEST(MsDeformAttnCpuKernelSizeTest, MakesSamplesBehindTwoToTheThirtyOne) {
  const MsDeformAttnSizes sizes = {/*batch=*/2,
                                   /*positions=*/32,
                                   /*heads=*/32,
                                   /*head_dim=*/1,
                                   /*queries=*/1 << 24,
                                   /*levels=*/1,
                                   /*points=*/2};
  const int64_t level_shapes[] = {4, 8};
  const size_t count = size_t{1} << 31, centre_count = size_t{1} << 27;
  SparseArray<float> centres(centre_count), offsets(2 * count), logits(count);
  SparseArray<float> locations(2 * count), weights(count);
  SparseArray<float> grad_offsets(2 * count), grad_logits(count);
  centres.data()[centre_count - 1] = 1;
  offsets.data()[2 * count - 1] = 1.5;
  logits.data()[count - 1] = logits.data()[count - 2] = 9;
  grad_offsets.data()[2 * count - 1] = 12;
  grad_logits.data()[count - 1] = 6;
  const MsDeformAttnFusedGradientTask<float> task = {sizes,
                                                     level_shapes,
                                                     centres.data(),
                                                     /*centre_batch=*/2,
                                                     offsets.data(),
                                                     logits.data(),
                                                     locations.data(),
                                                     weights.data(),
                                                     grad_offsets.data(),
                                                     grad_logits.data()};
  const int64_t pairs = 2 * sizes.queries;
  Best().fill_samples(task, pairs - 1, pairs);
  EXPECT_EQ(locations.data()[2 * count - 1], (1 + 1.5f + 0.5f) / 4);
  EXPECT_EQ(weights.data()[count - 1], 0.5f);
  EXPECT_EQ(weights.data()[count - 65], 0);  // The pair before.
  Best().finish_gradients(task, pairs - 1, pairs);
  EXPECT_EQ(grad_offsets.data()[2 * count - 1], 3);
  EXPECT_EQ(grad_logits.data()[count - 1], 0.5f * (6 - 3));
  EXPECT_EQ(grad_logits.data()[count - 2], 0.5f * (0 - 3));
}

// LibTorch asks the processor in its own way.
TEST(BestCpuVectorsTest, AreThoseThatLibTorchChooses) {
  EXPECT_NE(GetMsDeformAttnCpuKernel<float>(BestCpuVectors()), nullptr);
  if (std::getenv("ATEN_CPU_CAPABILITY") != nullptr) {
    GTEST_SKIP() << "ATEN_CPU_CAPABILITY lowers LibTorch's choice";
  }
  EXPECT_EQ(BestCpuVectors(), BestVectors());
}

}  // namespace
}  // namespace mask2former::ops
