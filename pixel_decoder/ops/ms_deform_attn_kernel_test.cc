#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "mask2former/common/testing/device_buffer.h"
#include "mask2former/common/testing/sparse_array.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel_testing.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_samples.h"

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
      ExpectNear(grad_value.ToHost(), expected.grad_value, 1e-5, 1e-4,
                 "grad_value");
      ExpectNear(grad_locations.ToHost(), expected.grad_locations, 1e-5, 1e-4,
                 "grad_locations");
      ExpectNear(grad_weights.ToHost(), expected.grad_weights, 1e-5, 1e-4,
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

    std::vector<std::vector<float>> first;
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
      ExpectNear(grad_value.ToHost(), expected.grad_value, 1e-5, 1e-4,
                 "grad_value");
      ExpectNear(ToFloats(grad_offsets.ToHost()), expected.grad_offsets, 1e-5,
                 rtol, "grad_offsets");
      ExpectNear(ToFloats(grad_logits.ToHost()), expected.grad_logits, 1e-5,
                 rtol, "grad_logits");
      // Floats hold every number of the half types.
      const std::vector<std::vector<float>> results = {
          grad_value.ToHost(), ToFloats(grad_offsets.ToHost()),
          ToFloats(grad_logits.ToHost())};
      if (run == 1) {
        EXPECT_EQ(results, first);
      }
      first = results;
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

// Without samples there are no weights to divide by.
TEST(MsDeformAttnKernelEdgeTest, FusedIsZeroWithoutPoints) {
  M2F_REQUIRES_DEVICE();
  const FusedArguments a =
      RandomFused({"", 1, 3, 2, 32, 0, {2, 3}}, Rounded<float>, Rounded<float>);
  DeviceBuffer<float> value(a.value), points(a.reference_points),
      offsets(a.offsets), logits(a.logits), output(a.grad_output.size());
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttnFused(
      a.sizes, a.level_shapes.data(), value.data(),
      FusedSamples<float>{points.data(), a.reference_batch, offsets.data(),
                          logits.data()},
      output.data(), nullptr));
  EXPECT_THAT(output.ToHost(), Each(0.0f));
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
// Two images of 2^31 numbers each. Four samples read the last pixel, which is 3
// in the second image and 0 elsewhere; they weigh 4 and 1.
class HugeMaps : public testing::Test {
 protected:
  static constexpr int64_t kSide = 8192, kHeadDim = 32;
  static constexpr size_t kCount = 2 * kSide * kSide * kHeadDim;
  static constexpr size_t kLast = kCount - kHeadDim;
  static constexpr MsDeformAttnSizes kSizes = {
      2, kSide* kSide, 1, kHeadDim, 1, 1, 4};
  static constexpr float kPlace = 1 - 0.5f / kSide;  // The last pixel's centre.

  HugeMaps() { std::fill_n(value_.data() + kLast, kHeadDim, 3.0f); }

  static void ExpectSums(const std::vector<float>& output, float of_second) {
    for (int i = 0; i < 2 * kHeadDim; ++i) {
      EXPECT_NEAR(output[i], i < kHeadDim ? 0 : of_second, 1e-5) << i;
    }
  }

  // What a sample's weight gets from 32 channels.
  static void ExpectDots(const std::vector<float>& grad_weights) {
    for (int i = 0; i < 8; ++i) {
      EXPECT_NEAR(grad_weights[i], i < 4 ? 0 : 32 * 3 * 2, 1e-3) << i;
    }
  }

  // The last pixels of both images, and the first of all.
  static void ExpectAdditions(const float* grad_value, float first,
                              float second) {
    for (int c = 0; c < kHeadDim; ++c) {
      EXPECT_NEAR(grad_value[kCount / 2 - kHeadDim + c], first, 1e-5) << c;
      EXPECT_NEAR(grad_value[kLast + c], second, 1e-5) << c;
      EXPECT_EQ(grad_value[c], 0) << c;
      EXPECT_EQ(grad_value[kCount / 2 + c], 0) << c;
    }
  }

  const int64_t level_shapes_[2] = {kSide, kSide};
  SparseArray<float> value_{kCount}, grad_value_{kCount};
  DeviceBuffer<float> output_{2 * kHeadDim};
  DeviceBuffer<float> grad_output_{std::vector<float>(2 * kHeadDim, 2.0f)};
};

TEST_F(HugeMaps, PlainReadsAndAddsAtTheLastOfFourBillionNumbers) {
  DeviceBuffer<float> locations(std::vector<float>(16, kPlace));
  DeviceBuffer<float> weights({1, 1, 1, 1, 0.5, 0.25, 0.125, 0.125});
  DeviceBuffer<float> grad_locations(16), grad_weights(8);
  const PlainSamples samples = {locations.data(), weights.data()};
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttn(
      kSizes, level_shapes_, value_.data(), samples, output_.data(), nullptr));
  ExpectSums(output_.ToHost(), 3);
  // Overwrites what is there.
  std::fill_n(grad_value_.data(), kHeadDim, 7.0f);
  std::fill_n(grad_value_.data() + kLast, kHeadDim, 7.0f);
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttnBackward(
      kSizes, level_shapes_, grad_output_.data(), value_.data(), samples,
      grad_value_.data(),
      PlainGradients{grad_locations.data(), grad_weights.data()},
      /*deterministic=*/false, nullptr));
  ExpectDots(grad_weights.ToHost());
  ExpectAdditions(grad_value_.data(), 4 * 2, 1 * 2);
}

TEST_F(HugeMaps, FusedReadsAndAddsAtTheLastOfFourBillionNumbers) {
  DeviceBuffer<float> points({0, 0, kPlace, kPlace});
  // In the first image from the first pixel's corner to that of the last.
  constexpr float kAcross = kSide - 0.5f;
  std::vector<float> from(16, 0);
  std::fill_n(from.begin(), 8, kAcross);
  DeviceBuffer<float> offsets(from), logits(std::vector<float>(8, 1.0f));
  DeviceBuffer<float> grad_offsets(16), grad_logits(8);
  const FusedSamples<float> samples = {points.data(), /*reference_batch=*/2,
                                       offsets.data(), logits.data()};
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttnFused(
      kSizes, level_shapes_, value_.data(), samples, output_.data(), nullptr));
  ExpectSums(output_.ToHost(), 3);
  M2F_EXPECT_CUDA_SUCCESS(LaunchMsDeformAttnFusedBackward(
      kSizes, level_shapes_, grad_output_.data(), value_.data(), samples,
      grad_value_.data(),
      FusedGradients<float>{grad_offsets.data(), grad_logits.data()},
      /*deterministic=*/false, nullptr));
  ExpectAdditions(grad_value_.data(), 1 * 2, 1 * 2);
}

// Of 2^31 samples and more, which no test can go through, and of gradients that
// the owner kernel writes.
TEST(CudaSizesTest, IndexesMoreThanTwoToTheThirtyOne) {
  CudaSizes sizes = {};
  sizes.heads = 8;
  sizes.head_dim = 32;
  sizes.queries = 1 << 22;
  sizes.levels = 4;
  sizes.points = 8;
  sizes.images_x_heads = 8 * 4;
  sizes.positions = 1 << 28;
  EXPECT_EQ(sizes.Cell(3, sizes.queries - 1, 7), (int64_t{1} << 27) - 1);
  EXPECT_EQ(sizes.MapOffset(3, 7),
            ((int64_t{3} << 28) * 8 + 7) * 32);  // 2^37.6

  constexpr int32_t kCount = 32;
  constexpr int64_t kCells = int64_t{1} << 27;
  SparseArray<Float16> numbers(2 * kCells * kCount);
  SparseArray<float> points(size_t{4} * sizes.queries * 4 * 2);
  const int64_t first = (kCells - 1) * kCount;  // 2^32 - 32
  const FusedReader<Float16> fused(
      FusedSamples<Float16>{points.data(), 4, numbers.data(), numbers.data()},
      sizes, 3, sizes.queries - 1, 7, kCount);
  EXPECT_EQ(fused.first, first);
  EXPECT_EQ(fused.logits - numbers.data(), first);
  EXPECT_EQ(fused.offsets - numbers.data(), 2 * first);
  EXPECT_EQ(fused.reference - points.data(),
            (int64_t{4} * sizes.queries - 1) * 4 * 2);
  numbers.data()[2 * first + 2 * 31 + 1] = FromFloat<Float16>(5);
  EXPECT_EQ(fused.At(31, 3, 9, 9, Softmax{}).y, 4.5f);
  const FusedReader<Float16> shared(
      FusedSamples<Float16>{points.data(), 1, numbers.data(), numbers.data()},
      sizes, 3, sizes.queries - 1, 7, kCount);
  EXPECT_EQ(shared.reference - points.data(),
            (int64_t{sizes.queries} - 1) * 4 * 2);

  SparseArray<float> plain(2 * kCells * kCount);
  const PlainReader reader(PlainSamples{plain.data(), plain.data()}, sizes, 3,
                           sizes.queries - 1, 7, kCount);
  EXPECT_EQ(reader.locations - plain.data(), 2 * first);
  EXPECT_EQ(reader.weights - plain.data(), first);
}
#endif

// All forms and directions agree on a problem; nothing is launched.
cudaError_t LaunchNothing(const MsDeformAttnSizes& sizes,
                          const std::vector<int64_t>& shapes,
                          const float* samples = nullptr,
                          int64_t reference_batch = 1) {
  const PlainSamples plain = {samples, nullptr};
  const FusedSamples<float> fused = {nullptr, reference_batch, samples,
                                     nullptr};
  float* const none = nullptr;
  const cudaError_t results[] = {
      LaunchMsDeformAttn(sizes, shapes.data(), none, plain, none, nullptr),
      LaunchMsDeformAttnBackward(sizes, shapes.data(), none, none, plain, none,
                                 PlainGradients{}, false, nullptr),
      LaunchMsDeformAttnFused(sizes, shapes.data(), none, fused, none, nullptr),
      LaunchMsDeformAttnFusedBackward(sizes, shapes.data(), none, none, fused,
                                      none, FusedGradients<float>{}, true,
                                      nullptr)};
  const bool fused_only =
      reference_batch != 1 && reference_batch != sizes.batch;
  for (const cudaError_t result : results) {
    if (!fused_only) {
      EXPECT_EQ(result, results[3]);
    }
  }
  EXPECT_EQ(results[2], results[3]);
  return results[3];
}

TEST(MsDeformAttnKernelEdgeTest, RefusesWhatItCannotIndex) {
  // No images: what is accepted does nothing.
  const MsDeformAttnSizes empty = {0, 6, 1, 4, 1, 1, 1};
  const std::vector<int64_t> shapes = {2, 3};
  EXPECT_EQ(LaunchNothing(empty, shapes), cudaSuccess);
  // Each size at its limit, and the last that is accepted.
  constexpr int64_t kLimit = int64_t{1} << 27;
  const auto expect_limit = [&](int64_t MsDeformAttnSizes::*size,
                                int64_t limit) {
    MsDeformAttnSizes sizes = empty;
    sizes.*size = limit;
    EXPECT_EQ(LaunchNothing(sizes, shapes), cudaErrorInvalidValue) << limit;
    sizes.*size = limit - 1;
    EXPECT_EQ(LaunchNothing(sizes, shapes), cudaSuccess) << limit;
    sizes.*size = -1;
    EXPECT_EQ(LaunchNothing(sizes, shapes), cudaErrorInvalidValue);
    sizes.*size = INT64_MAX;
    EXPECT_EQ(LaunchNothing(sizes, shapes), cudaErrorInvalidValue);
  };
  expect_limit(&MsDeformAttnSizes::queries, kLimit);
  expect_limit(&MsDeformAttnSizes::points, kLimit);     // L P
  expect_limit(&MsDeformAttnSizes::heads, kLimit / 4);  // M D
  expect_limit(&MsDeformAttnSizes::head_dim, kLimit);   // M D
  MsDeformAttnSizes sizes = empty;
  sizes.queries = 0;
  sizes.head_dim = 0;
  sizes.batch = kLimit;  // B M
  EXPECT_EQ(LaunchNothing(sizes, shapes), cudaErrorInvalidValue);
  sizes.batch = kLimit - 1;
  EXPECT_EQ(LaunchNothing(sizes, shapes), cudaSuccess);

  // S, by its levels.
  sizes = empty;
  sizes.positions = 7;
  EXPECT_EQ(LaunchNothing(sizes, shapes), cudaErrorInvalidValue);
  sizes.positions = 5;
  EXPECT_EQ(LaunchNothing(sizes, shapes), cudaErrorInvalidValue);
  sizes.positions = int64_t{1} << 30;
  EXPECT_EQ(LaunchNothing(sizes, {1 << 15, 1 << 15}), cudaErrorInvalidValue);
  sizes.positions = (int64_t{1} << 30) - 1;
  EXPECT_EQ(LaunchNothing(sizes, {(1 << 15) - 1, (1 << 15) + 1}), cudaSuccess);
  sizes.positions = 0;  // 2^32 * 2^32
  EXPECT_EQ(LaunchNothing(sizes, {int64_t{1} << 32, int64_t{1} << 32}),
            cudaErrorInvalidValue);
  sizes = empty;
  sizes.levels = 0;
  EXPECT_EQ(LaunchNothing(sizes, {}), cudaErrorInvalidValue);
  sizes.levels = kMaxCudaLevels + 1;
  sizes.positions = sizes.levels;
  EXPECT_EQ(LaunchNothing(sizes, std::vector<int64_t>(2 * sizes.levels, 1)),
            cudaErrorInvalidValue);
  sizes.levels = sizes.positions = kMaxCudaLevels;
  EXPECT_EQ(LaunchNothing(sizes, std::vector<int64_t>(2 * sizes.levels, 1)),
            cudaSuccess);

  // Pairs that are not aligned, where there is something to read.
  sizes = empty;
  sizes.batch = 1;
  EXPECT_EQ(LaunchNothing(sizes, shapes, reinterpret_cast<const float*>(4)),
            cudaErrorInvalidValue);
}

TEST(MsDeformAttnKernelEdgeTest, RefusesReferencePointsOfOtherImages) {
  const MsDeformAttnSizes sizes = {3, 6, 1, 0, 0, 1, 1};
  const std::vector<int64_t> shapes = {2, 3};
  for (const int64_t batch : {-1, 0, 2, 4}) {
    EXPECT_EQ(LaunchNothing(sizes, shapes, nullptr, batch),
              cudaErrorInvalidValue)
        << batch;
  }
}

}  // namespace
}  // namespace mask2former::ops
