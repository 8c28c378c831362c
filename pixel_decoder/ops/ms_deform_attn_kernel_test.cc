#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "mask2former/common/testing/device_buffer.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel_testing.h"

namespace mask2former::ops {
namespace {

using ::testing::Each;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

std::string Name(const testing::TestParamInfo<KernelCase>& info) {
  return info.param.name;
}

class MsDeformAttnKernelTest : public testing::TestWithParam<KernelCase> {
 protected:
  // Of a value_t, relative: half a unit in the last place.
  template <typename value_t>
  static double Rounding() {
    if (std::is_same_v<value_t, Float16>) return 0x1p-11;
    return std::is_same_v<value_t, BFloat16> ? 0x1p-8 : 0;
  }

  template <typename value_t>
  void ExpectForward() {
    M2F_REQUIRES_DEVICE();
    const PlainArguments a = RandomPlain(GetParam(), Rounded<value_t>);
    DeviceBuffer<value_t> value(ToType<value_t>(a.value));
    DeviceBuffer<float> locations(a.locations), weights(a.weights);
    DeviceBuffer<value_t> output(a.grad_output.size());
    M2F_EXPECT_CUDA_SUCCESS(
        LaunchMsDeformAttn(a.sizes, a.level_shapes.data(), value.data(),
                           PlainSamples{locations.data(), weights.data()},
                           output.data(), nullptr));
    ExpectNear(ToFloats(output.ToHost()), ReferenceForward(a).output, 1e-5,
               1e-4 + Rounding<value_t>(), "output");
  }

  template <typename value_t>
  void ExpectBackward(bool deterministic) {
    M2F_REQUIRES_DEVICE();
    const PlainArguments a = RandomPlain(GetParam(), Rounded<value_t>);
    const PlainResult expected = ReferenceBackward(a);
    DeviceBuffer<value_t> value(ToType<value_t>(a.value));
    DeviceBuffer<value_t> grad_output(ToType<value_t>(a.grad_output));
    DeviceBuffer<float> locations(a.locations), weights(a.weights);
    std::vector<std::vector<float>> first;
    for (int run = 0; run < 2; ++run) {
      DeviceBuffer<float> grad_value(a.value.size());
      DeviceBuffer<float> grad_locations(a.locations.size());
      DeviceBuffer<float> grad_weights(a.weights.size());
      M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttnBackward(
          a.sizes, a.level_shapes.data(), grad_output.data(), value.data(),
          PlainSamples{locations.data(), weights.data()}, grad_value.data(),
          PlainGradients{grad_locations.data(), grad_weights.data()},
          deterministic, nullptr));
      // Sums of up to a hundred products; locations are scaled by the map.
      ExpectNear(grad_value.ToHost(), expected.grad_value, 2e-5, 1e-4,
                 "grad_value");
      ExpectNear(grad_locations.ToHost(), expected.grad_locations, 1e-4, 1e-4,
                 "grad_locations");
      ExpectNear(grad_weights.ToHost(), expected.grad_weights, 2e-5, 1e-4,
                 "grad_weights");
      if (!deterministic) return;
      const std::vector<std::vector<float>> results = {
          grad_value.ToHost(), grad_locations.ToHost(), grad_weights.ToHost()};
      if (run == 1) {
        EXPECT_EQ(results, first);
      }
      first = results;
    }
  }

  template <typename value_t, typename raw_t>
  void ExpectFused(bool deterministic) {
    M2F_REQUIRES_DEVICE();
    const FusedArguments a =
        RandomFused(GetParam(), Rounded<value_t>, Rounded<raw_t>);
    const FusedResult expected = FusedReference(a);
    DeviceBuffer<value_t> value(ToType<value_t>(a.value));
    DeviceBuffer<value_t> grad_output(ToType<value_t>(a.grad_output));
    DeviceBuffer<float> points(a.reference_points);
    DeviceBuffer<raw_t> offsets(ToType<raw_t>(a.offsets));
    DeviceBuffer<raw_t> logits(ToType<raw_t>(a.logits));
    const FusedSamples<raw_t> samples = {points.data(), a.reference_batch,
                                         offsets.data(), logits.data()};
    DeviceBuffer<value_t> output(a.grad_output.size());
    M2F_EXPECT_CUDA_SUCCESS(
        LaunchMsDeformAttnFused(a.sizes, a.level_shapes.data(), value.data(),
                                samples, output.data(), nullptr));
    ExpectNear(ToFloats(output.ToHost()), expected.output, 1e-5,
               1e-4 + Rounding<value_t>(), "output");

    std::vector<float> first;
    for (int run = 0; run < (deterministic ? 2 : 1); ++run) {
      DeviceBuffer<float> grad_value(a.value.size());
      DeviceBuffer<raw_t> grad_offsets(a.offsets.size());
      DeviceBuffer<raw_t> grad_logits(a.logits.size());
      M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttnFusedBackward(
          a.sizes, a.level_shapes.data(), grad_output.data(), value.data(),
          samples, grad_value.data(),
          FusedGradients<raw_t>{grad_offsets.data(), grad_logits.data()},
          deterministic, nullptr));
      const double rtol = 1e-4 + Rounding<raw_t>();
      ExpectNear(grad_value.ToHost(), expected.grad_value, 2e-5, 1e-4,
                 "grad_value");
      ExpectNear(ToFloats(grad_offsets.ToHost()), expected.grad_offsets, 2e-5,
                 rtol, "grad_offsets");
      ExpectNear(ToFloats(grad_logits.ToHost()), expected.grad_logits, 2e-5,
                 rtol, "grad_logits");
      if (run == 1) {
        EXPECT_EQ(grad_value.ToHost(), first);
      }
      first = grad_value.ToHost();
    }
  }
};

TEST_P(MsDeformAttnKernelTest, ForwardInFloat) { ExpectForward<float>(); }
TEST_P(MsDeformAttnKernelTest, ForwardInFloat16) { ExpectForward<Float16>(); }
TEST_P(MsDeformAttnKernelTest, ForwardInBFloat16) { ExpectForward<BFloat16>(); }

TEST_P(MsDeformAttnKernelTest, BackwardInFloat) {
  ExpectBackward<float>(/*deterministic=*/false);
}
TEST_P(MsDeformAttnKernelTest, BackwardInFloat16) {
  ExpectBackward<Float16>(/*deterministic=*/false);
}
TEST_P(MsDeformAttnKernelTest, BackwardInBFloat16) {
  ExpectBackward<BFloat16>(/*deterministic=*/false);
}
TEST_P(MsDeformAttnKernelTest, DeterministicBackwardTwice) {
  ExpectBackward<float>(/*deterministic=*/true);
  ExpectBackward<BFloat16>(/*deterministic=*/true);
}

TEST_P(MsDeformAttnKernelTest, FusedInFloat) {
  ExpectFused<float, float>(/*deterministic=*/false);
  ExpectFused<float, float>(/*deterministic=*/true);
}
TEST_P(MsDeformAttnKernelTest, FusedInFloat16) {
  ExpectFused<Float16, Float16>(/*deterministic=*/false);
  ExpectFused<Float16, float>(/*deterministic=*/true);
}
TEST_P(MsDeformAttnKernelTest, FusedInBFloat16) {
  ExpectFused<BFloat16, BFloat16>(/*deterministic=*/true);
  ExpectFused<BFloat16, float>(/*deterministic=*/false);
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, MsDeformAttnKernelTest,
    testing::Values(
        KernelCase{"OneOfEverything", 1, 1, 1, 1, 1, {1, 1}},
        KernelCase{"ThePapersHeads", 1, 150, 2, 32, 4, {3, 5, 6, 10, 12, 20}},
        KernelCase{"EightPointsOnFiveLevels",
                   2,
                   9,
                   1,
                   32,
                   8,
                   {1, 1, 2, 2, 3, 4, 5, 4, 8, 7}},
        KernelCase{"OddPoints", 2, 5, 3, 32, 3, {4, 6, 2, 3}},
        KernelCase{"MoreSamplesThanFit", 1, 3, 1, 32, 23, {4, 6, 2, 3}},
        KernelCase{"LongHeads", 1, 7, 2, 80, 4, {5, 4}},
        KernelCase{"ShortHeads", 2, 7, 3, 8, 2, {5, 4, 2, 2}},
        KernelCase{"OddHeads", 1, 6, 2, 37, 5, {9, 3, 1, 4}}),
    Name);

// Runs both directions of both forms; the results are all zero.
void ExpectZeros(const PlainArguments& a) {
  DeviceBuffer<float> value(a.value), grad_output(a.grad_output);
  DeviceBuffer<float> locations(a.locations), weights(a.weights);
  DeviceBuffer<float> output(a.grad_output.size());
  const PlainSamples plain = {locations.data(), weights.data()};
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttn(a.sizes, a.level_shapes.data(),
                                             value.data(), plain, output.data(),
                                             nullptr));
  EXPECT_THAT(output.ToHost(), Each(0.0f));
  for (const bool deterministic : {false, true}) {
    DeviceBuffer<float> grad_value(a.value.size());
    DeviceBuffer<float> grad_locations(a.locations.size());
    DeviceBuffer<float> grad_weights(a.weights.size());
    M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttnBackward(
        a.sizes, a.level_shapes.data(), grad_output.data(), value.data(), plain,
        grad_value.data(),
        PlainGradients{grad_locations.data(), grad_weights.data()},
        deterministic, nullptr));
    EXPECT_THAT(grad_value.ToHost(), Each(0.0f));
    EXPECT_THAT(grad_locations.ToHost(), Each(0.0f));
    EXPECT_THAT(grad_weights.ToHost(), Each(0.0f));
  }
}

// Not even what is infinite there, and although 0 * infinity is NaN.
TEST(MsDeformAttnKernelEdgeTest, ReadsNothingOutsideAndAtNan) {
  M2F_REQUIRES_DEVICE();
  for (const int head_dim : {32, 40, 3}) {
    PlainArguments a =
        RandomPlain({"", 1, 1, 1, head_dim, 8, {2, 3}}, Rounded<float>);
    a.value.assign(a.value.size(), kInfinity);
    a.grad_output.assign(a.grad_output.size(), 1);
    a.locations = {kNan,  0.5f, 0.5f, kNan, kInfinity, 0.5f, 0.5f, -kInfinity,
                   1e30f, 0.5f, -1.f, 0.5f, 0.5f,      1.5f, 0.5f, -0.25f};
    a.weights = {1, kNan, 1, 1, kInfinity, 1, 1, 1};
    ExpectZeros(a);
  }
}

TEST(MsDeformAttnKernelEdgeTest, HalfOutsideReadsHalfOfTheBorderOnly) {
  M2F_REQUIRES_DEVICE();
  // The upper left pixel is 2, the others are infinite and must not be read.
  PlainArguments a = RandomPlain({"", 1, 1, 1, 32, 1, {2, 3}}, Rounded<float>);
  a.value.assign(a.value.size(), kInfinity);
  std::fill_n(a.value.begin(), 32, 2.0f);
  a.locations = {0, 0};
  a.weights = {1};
  DeviceBuffer<float> value(a.value), locations(a.locations),
      weights(a.weights), output(32);
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttn(
      a.sizes, a.level_shapes.data(), value.data(),
      PlainSamples{locations.data(), weights.data()}, output.data(), nullptr));
  EXPECT_THAT(output.ToHost(), Each(0.5f));
}

TEST(MsDeformAttnKernelEdgeTest, NanLogitsAreNanAndStayWithTheirQuery) {
  M2F_REQUIRES_DEVICE();
  FusedArguments a =
      RandomFused({"", 1, 6, 1, 32, 4, {4, 5}}, Rounded<float>, Rounded<float>);
  a.reference_points.assign(a.reference_points.size(), 0.5f);
  a.offsets.assign(a.offsets.size(), 0.25f);
  a.logits[4 * 2 + 1] = kNan;  // Query 2.
  DeviceBuffer<float> value(a.value), points(a.reference_points),
      offsets(a.offsets), logits(a.logits), output(a.grad_output.size());
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttnFused(
      a.sizes, a.level_shapes.data(), value.data(),
      FusedSamples<float>{points.data(), a.reference_batch, offsets.data(),
                          logits.data()},
      output.data(), nullptr));
  const std::vector<float> result = output.ToHost();
  for (size_t i = 0; i < result.size(); ++i) {
    EXPECT_EQ(std::isnan(result[i]), i / 32 == 2) << i;
  }
}

TEST(MsDeformAttnKernelEdgeTest, AcceptsEmptyProblems) {
  M2F_REQUIRES_DEVICE();
  ExpectZeros(RandomPlain({"", 0, 3, 2, 32, 4, {2, 3}}, Rounded<float>));
  ExpectZeros(RandomPlain({"", 1, 0, 2, 32, 4, {2, 3}}, Rounded<float>));
  ExpectZeros(RandomPlain({"", 1, 3, 0, 32, 4, {2, 3}}, Rounded<float>));
  ExpectZeros(RandomPlain({"", 1, 3, 2, 32, 0, {2, 3}}, Rounded<float>));
  ExpectZeros(RandomPlain({"", 1, 3, 2, 0, 0, {2, 3}}, Rounded<float>));
}

// Vectors need aligned rows; without them numbers are read one by one.
TEST(MsDeformAttnKernelEdgeTest, AcceptsValuesThatAreNotAligned) {
  M2F_REQUIRES_DEVICE();
  PlainArguments a = RandomPlain({"", 1, 5, 2, 32, 4, {4, 5}}, Rounded<float>);
  const std::vector<double> expected = ReferenceForward(a).output;
  a.value.insert(a.value.begin(), kNan);
  DeviceBuffer<float> value(a.value), locations(a.locations),
      weights(a.weights), output(a.grad_output.size());
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttn(
      a.sizes, a.level_shapes.data(), value.data() + 1,
      PlainSamples{locations.data(), weights.data()}, output.data(), nullptr));
  ExpectNear(output.ToHost(), expected, 1e-5, 1e-4, "output");
}

#if __has_include("mask2former/tools/cuda_emulation/runtime_api.h")
// Of 2^32 values only one row is touched, so the rest is never allocated; only
// emulated kernels can read such memory.
TEST(MsDeformAttnKernelEdgeTest, ReadsTheLastOfFourBillionNumbers) {
  constexpr int64_t kSide = 8192, kHeadDim = 32;
  constexpr size_t kCount = 2 * kSide * kSide * kHeadDim;
  void* const memory =
      mmap(nullptr, kCount * sizeof(float), PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  float* const value = static_cast<float*>(memory);
  std::fill_n(value + kCount - kHeadDim, kHeadDim, 3.0f);
  const int64_t level_shapes[] = {kSide, kSide};
  const MsDeformAttnSizes sizes = {2, kSide * kSide, 1, kHeadDim, 1, 1, 4};
  const float last = 1 - 0.5f / kSide;  // The last pixel's centre.
  DeviceBuffer<float> locations(std::vector<float>(16, last));
  DeviceBuffer<float> weights({1, 1, 1, 1, 0.5, 0.25, 0.125, 0.125});
  DeviceBuffer<float> output(2 * kHeadDim);
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttn(
      sizes, level_shapes, value,
      PlainSamples{locations.data(), weights.data()}, output.data(), nullptr));
  const std::vector<float> result = output.ToHost();
  for (int i = 0; i < 2 * kHeadDim; ++i) {
    EXPECT_EQ(result[i], i < kHeadDim ? 0 : 3) << i;
  }
  munmap(memory, kCount * sizeof(float));
}
#endif

TEST(MsDeformAttnKernelEdgeTest, RefusesWhatItCannotIndex) {
  MsDeformAttnSizes sizes = {1, 6, 1, 4, 1, 1, 1};
  const std::vector<int64_t> shapes = {2, 3};
  const auto launch = [&](const float* locations) {
    return LaunchMsDeformAttn<float>(sizes, shapes.data(), nullptr,
                                     PlainSamples{locations, nullptr}, nullptr,
                                     nullptr);
  };
  sizes.positions = 7;
  EXPECT_EQ(launch(nullptr), cudaErrorInvalidValue);
  sizes.positions = 6;
  EXPECT_EQ(launch(reinterpret_cast<const float*>(4)), cudaErrorInvalidValue);
  sizes.queries = -1;
  EXPECT_EQ(launch(nullptr), cudaErrorInvalidValue);
  sizes.queries = int64_t{1} << 27;
  EXPECT_EQ(launch(nullptr), cudaErrorInvalidValue);
  sizes.queries = 1;
  sizes.levels = kMaxCudaLevels + 1;
  EXPECT_EQ(launch(nullptr), cudaErrorInvalidValue);
}

}  // namespace
}  // namespace mask2former::ops
