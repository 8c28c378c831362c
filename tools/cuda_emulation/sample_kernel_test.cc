#include "mask2former/tools/cuda_emulation/sample_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "mask2former/common/cuda/half.h"
#include "mask2former/common/testing/device_buffer.h"

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNan;

TEST(BlockSumTest, AddsEveryBlocksValues) {
  M2F_REQUIRES_DEVICE();
  for (const int64_t count : {0, 1, 95, 96, 97, 500}) {
    std::vector<int64_t> values(count), expected((count + 95) / 96);
    for (int64_t i = 0; i < count; ++i) {
      values[i] = (int64_t{1} << 40) + i * i;
      expected[i / kBlockSumThreads] += values[i];
    }
    const DeviceBuffer<int64_t> input(values);
    DeviceBuffer<int64_t> sums(expected.size());
    M2F_EXPECT_CUDA_SUCCESS(
        LaunchBlockSum(input.data(), count, sums.data(), nullptr));
    EXPECT_EQ(sums.ToHost(), expected) << count;
  }
}

TEST(BlockSumTest, AddsFloatsAndDoubles) {
  M2F_REQUIRES_DEVICE();
  const std::vector<float> floats(100, 0.25f);
  const std::vector<double> doubles(100, 1 + 1e-12);
  const DeviceBuffer<float> float_input(floats);
  const DeviceBuffer<double> double_input(doubles);
  DeviceBuffer<float> float_sums(2);
  DeviceBuffer<double> double_sums(2);
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchBlockSum(float_input.data(), 100, float_sums.data(), nullptr));
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchBlockSum(double_input.data(), 100, double_sums.data(), nullptr));
  EXPECT_THAT(float_sums.ToHost(), ElementsAre(24.f, 1.f));
  EXPECT_NEAR(double_sums.ToHost()[0], 96 + 96e-12, 1e-13);
}

TEST(TransposeTest, SwapsRowsAndColumns) {
  M2F_REQUIRES_DEVICE();
  constexpr int kRows = 37, kColumns = 18;
  std::vector<float> values(kRows * kColumns), expected(kRows * kColumns);
  for (int y = 0; y < kRows; ++y) {
    for (int x = 0; x < kColumns; ++x) {
      values[y * kColumns + x] = expected[x * kRows + y] = 100 * y + x;
    }
  }
  const DeviceBuffer<float> input(values);
  DeviceBuffer<float> output(values.size());
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchTranspose(input.data(), kRows, kColumns, output.data(), nullptr));
  EXPECT_EQ(output.ToHost(), expected);
}

TEST(HistogramTest, CountsWithOneAtomicPerWarpAndValue) {
  M2F_REQUIRES_DEVICE();
  std::vector<int> values(150), expected(8);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<int>(i * i % 7);
    ++expected[values[i]];
  }
  const DeviceBuffer<int> input(values);
  DeviceBuffer<int> histogram(std::vector<int>(8, 0));
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchHistogram(input.data(), 150, histogram.data(), nullptr));
  EXPECT_EQ(histogram.ToHost(), expected);
}

template <typename Short>
std::vector<float> Round(const std::vector<float>& values) {
  const DeviceBuffer<float> input(values);
  DeviceBuffer<float> output(values.size());
  M2F_EXPECT_CUDA_SUCCESS(LaunchRound<Short>(
      input.data(), static_cast<int>(values.size()), output.data(), nullptr));
  return output.ToHost();
}

// Expected: PyTorch 2.11 on a CPU. Ties, a subnormal, the largest number and
// what lies beyond.
TEST(RoundTest, HalvesRoundToNearestEven) {
  M2F_REQUIRES_DEVICE();
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_THAT(Round<Float16>({1.f, 1.f + 1.f / 2048, 1.f + 3.f / 2048, 2e-7f,
                              -65504.f, -65520.f, inf - inf}),
              ElementsAre(0.333251953125f, 0.333251953125f, 0.333984375f,
                          5.960464477539063e-08f, -21824.f, -inf, IsNan()));
}

TEST(RoundTest, BfloatsRoundToNearestEven) {
  M2F_REQUIRES_DEVICE();
  EXPECT_THAT(Round<BFloat16>(
                  {1.f, 1.f + 1.f / 256, 1.f + 3.f / 256, 3.39e38f, 3.4e38f}),
              ElementsAre(0.333984375f, 0.333984375f, 0.33984375f,
                          1.1298437964171785e+38f,
                          std::numeric_limits<float>::infinity()));
}

TEST(IndicesTest, CountInThreeDimensions) {
  M2F_REQUIRES_DEVICE();
  DeviceBuffer<int> output(288);
  M2F_EXPECT_CUDA_SUCCESS(LaunchIndices(output.data(), nullptr));
  const std::vector<int> indices = output.ToHost();
  size_t i = 0;
  for (int block = 0; block < 12; ++block) {
    for (int thread = 0; thread < 24; ++thread, ++i) {
      EXPECT_EQ(indices[i], block / 6 * 100000 + block / 2 % 3 * 10000 +
                                block % 2 * 1000 + thread / 12 * 100 +
                                thread / 4 % 3 * 10 + thread % 4);
    }
  }
}

}  // namespace
}  // namespace mask2former
