#include "mask2former/common/point_sample_kernel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "mask2former/common/cuda/half.h"
#include "mask2former/common/point_sample_work.h"
#include "mask2former/common/testing/device_buffer.h"
#include "mask2former/common/testing/sparse_array.h"

namespace mask2former {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Eq;

constexpr PointSampleSizes kSizes = {3, 5, 300, 7, 6, 3};

// The share that pixel (row, column) has in the value at a point: how much of a
// pixel-sized square around the point covers it, as bilinear reading has it.
double Share(double x, double y, int row, int column, int height, int width) {
  const double across = 1 - std::fabs(x * width - 0.5 - column);
  const double down = 1 - std::fabs(y * height - 0.5 - row);
  return across > 0 && down > 0 ? across * down : 0;
}

struct Input {
  std::vector<double> maps, points;
  std::vector<int64_t> rows;
};

// Points inside, on the border and outside, also at NaN and infinity.
Input MakeInput(const PointSampleSizes& sizes) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(-0.2, 1.2);
  const auto draw = [&](int64_t count) {
    std::vector<double> values(count);
    // Steps that half types hold exactly, and floats even when multiplied.
    for (double& v : values) v = std::round(uniform(random) * 64) / 64;
    return values;
  };
  Input input;
  input.maps = draw(sizes.groups * sizes.maps * sizes.height * sizes.width);
  input.points = draw(sizes.groups * sizes.points * 2);
  const double special[] = {0, 0, 1, 1, NAN, 0.5, 0.5, -HUGE_VAL, 1e30, 0.5};
  std::copy(std::begin(special), std::end(special), input.points.begin());
  for (int64_t g = 0; g < sizes.groups; ++g) {
    input.rows.push_back((g * 2 + 1) % sizes.groups);
  }
  return input;
}

// Calls visit(index of an output, index of a map's pixel, the pixel's share).
template <typename Visit>
void VisitAll(const PointSampleSizes& sizes, const Input& input, bool rows,
              Visit visit) {
  const int64_t pixels = int64_t{sizes.height} * sizes.width;
  for (int64_t g = 0; g < sizes.groups; ++g) {
    const int64_t row = rows ? input.rows[g] : g;
    for (int64_t m = 0; m < sizes.maps; ++m) {
      for (int64_t t = 0; t < sizes.points; ++t) {
        const double* p = &input.points[2 * (g * sizes.points + t)];
        for (int64_t pixel = 0; pixel < pixels; ++pixel) {
          visit((g * sizes.maps + m) * sizes.points + t,
                (row * sizes.maps + m) * pixels + pixel,
                Share(p[0], p[1], static_cast<int>(pixel / sizes.width),
                      static_cast<int>(pixel % sizes.width), sizes.height,
                      sizes.width));
        }
      }
    }
  }
}

std::vector<double> ReferenceRead(const PointSampleSizes& sizes,
                                  const Input& input, bool rows) {
  std::vector<double> output(sizes.groups * sizes.maps * sizes.points);
  VisitAll(sizes, input, rows, [&](int64_t out, int64_t pixel, double share) {
    output[out] += share * input.maps[pixel];
  });
  return output;
}

std::vector<double> ReferenceAdd(const PointSampleSizes& sizes,
                                 const Input& input, bool rows,
                                 const std::vector<double>& gradients) {
  std::vector<double> result(input.maps.size());
  VisitAll(sizes, input, rows, [&](int64_t out, int64_t pixel, double share) {
    result[pixel] += share * gradients[out];
  });
  return result;
}

template <typename T>
std::vector<T> Convert(const std::vector<double>& values) {
  std::vector<T> result;
  for (const double v : values) {
    if constexpr (std::is_arithmetic_v<T>) {
      result.push_back(static_cast<T>(v));
    } else {
      result.push_back(FromFloat<T>(static_cast<float>(v)));
    }
  }
  return result;
}

template <typename T>
void ExpectNear(const std::vector<T>& actual,
                const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(static_cast<double>(actual[i]), expected[i], tolerance)
        << "element " << i;
  }
}

template <typename Pixel, typename Real>
void ExpectReadsLikeReference(const Input& input, double tolerance) {
  const DeviceBuffer<Pixel> maps(Convert<Pixel>(input.maps));
  const DeviceBuffer<Real> points(Convert<Real>(input.points));
  const DeviceBuffer<int64_t> rows(input.rows);
  for (const bool with_rows : {false, true}) {
    DeviceBuffer<Real> output(kSizes.groups * kSizes.maps * kSizes.points);
    M2F_EXPECT_CUDA_SUCCESS(LaunchPointSample(
        kSizes, maps.data(), with_rows ? rows.data() : nullptr, points.data(),
        output.data(), nullptr));
    ExpectNear(output.ToHost(), ReferenceRead(kSizes, input, with_rows),
               tolerance);
  }
}

TEST(PointSampleKernelTest, ReadsEveryTypeLikeTheReference) {
  M2F_REQUIRES_DEVICE();
  Input input = MakeInput(kSizes);
  ExpectReadsLikeReference<float, float>(input, 1e-5);
  ExpectReadsLikeReference<double, double>(input, 1e-12);
  ExpectReadsLikeReference<Float16, float>(input, 1e-5);
  ExpectReadsLikeReference<BFloat16, float>(input, 1e-5);
  for (double& v : input.maps) v = std::floor(std::fabs(v) * 200);
  ExpectReadsLikeReference<uint8_t, float>(input, 1e-5);
}

template <typename Real>
void ExpectAddsLikeReference(double tolerance) {
  const Input input = MakeInput(kSizes);
  std::vector<double> gradients(kSizes.groups * kSizes.maps * kSizes.points);
  for (size_t i = 0; i < gradients.size(); ++i) {
    gradients[i] = static_cast<double>(i % 17) / 16 - 0.5;
  }
  const DeviceBuffer<Real> device_gradients(Convert<Real>(gradients));
  const DeviceBuffer<Real> points(Convert<Real>(input.points));
  const DeviceBuffer<int64_t> rows(input.rows);
  for (const bool with_rows : {false, true}) {
    // Adds to what is there.
    DeviceBuffer<Real> result(std::vector<Real>(input.maps.size(), Real(2)));
    M2F_EXPECT_CUDA_SUCCESS(LaunchPointSampleBackward(
        kSizes, device_gradients.data(), with_rows ? rows.data() : nullptr,
        points.data(), result.data(), nullptr));
    std::vector<double> expected =
        ReferenceAdd(kSizes, input, with_rows, gradients);
    for (double& v : expected) v += 2;
    ExpectNear(result.ToHost(), expected, tolerance);
  }
}

TEST(PointSampleKernelTest, AddsTheGradientLikeTheReference) {
  M2F_REQUIRES_DEVICE();
  ExpectAddsLikeReference<float>(1e-5);
  ExpectAddsLikeReference<double>(1e-12);
}

TEST(PointSampleKernelTest, AddsUpWhereARowIsReadTwice) {
  M2F_REQUIRES_DEVICE();
  const PointSampleSizes sizes = {2, 1, 1, 1, 1, 3};
  const DeviceBuffer<float> gradients({3.f, 4.f});
  const DeviceBuffer<float> points({.5f, .5f, .5f, .5f});
  const DeviceBuffer<int64_t> rows({1, 1});
  DeviceBuffer<float> result({0.f, 0.f, 0.f});
  M2F_EXPECT_CUDA_SUCCESS(LaunchPointSampleBackward(sizes, gradients.data(),
                                                    rows.data(), points.data(),
                                                    result.data(), nullptr));
  EXPECT_THAT(result.ToHost(), ElementsAre(0, 7, 0));
}

// Here and in memory that is not there, AddressSanitizer would find.
TEST(PointSampleKernelTest, RowsThatDoNotExistReadNothingAndAddNothing) {
  M2F_REQUIRES_DEVICE();
  const int64_t huge = std::numeric_limits<int64_t>::max();
  const PointSampleSizes sizes = {5, 3, 1, 1, 1, 2};
  const DeviceBuffer<int64_t> rows({-1, 0, 2, huge, -huge - 1});
  const DeviceBuffer<float> points(std::vector<float>(10, .5f));
  const DeviceBuffer<float> maps({5.f, 6.f, 7.f, 8.f, 9.f, 10.f});
  DeviceBuffer<float> output(15);
  M2F_EXPECT_CUDA_SUCCESS(LaunchPointSample<float, float>(
      sizes, maps.data(), rows.data(), points.data(), output.data(), nullptr));
  EXPECT_THAT(output.ToHost(),
              ElementsAre(0, 0, 0, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0));
  const DeviceBuffer<float> gradients(std::vector<float>(15, 2.f));
  DeviceBuffer<float> result({1.f, 1.f, 1.f, 1.f, 1.f, 1.f});
  M2F_EXPECT_CUDA_SUCCESS(LaunchPointSampleBackward(sizes, gradients.data(),
                                                    rows.data(), points.data(),
                                                    result.data(), nullptr));
  EXPECT_THAT(result.ToHost(), ElementsAre(3, 3, 3, 1, 1, 1));
}

TEST(PointSampleKernelTest, ReadsNothingWherePointsAreNowhere) {
  M2F_REQUIRES_DEVICE();
  const float inf = std::numeric_limits<float>::infinity();
  const PointSampleSizes sizes = {1, 1, 4, 2, 2, 1};
  const DeviceBuffer<float> maps({inf, 1.f, 1.f, inf});
  const DeviceBuffer<float> points(
      {inf - inf, .5f, .5f, inf, -9.f, .5f, .5f, 1e38f});
  DeviceBuffer<float> output(4);
  M2F_EXPECT_CUDA_SUCCESS(LaunchPointSample<float, float>(
      sizes, maps.data(), nullptr, points.data(), output.data(), nullptr));
  EXPECT_THAT(output.ToHost(), Each(Eq(0)));
}

TEST(PointSampleKernelTest, LaunchesNothingForNothing) {
  M2F_REQUIRES_DEVICE();
  for (const PointSampleSizes& sizes :
       {PointSampleSizes{0, 1, 1, 2, 2, 1}, PointSampleSizes{1, 0, 1, 2, 2, 1},
        PointSampleSizes{1, 1, 0, 2, 2, 1}}) {
    M2F_EXPECT_CUDA_SUCCESS(LaunchPointSample<float, float>(
        sizes, nullptr, nullptr, nullptr, nullptr, nullptr));
    M2F_EXPECT_CUDA_SUCCESS(LaunchPointSampleBackward<float>(
        sizes, nullptr, nullptr, nullptr, nullptr, nullptr));
  }
}

#if __has_include("mask2former/tools/cuda_emulation/runtime_api.h")
// Two images of three maps of 2^30 pixels each. The last pixel of all is 3, and
// its neighbour to the left 5.
constexpr PointSampleSizes kHuge = {2, 3, 2, 1 << 15, 1 << 15, 2};
constexpr size_t kHugeCount = size_t{6} << 30;

// The last pixel's centre and, in the second group, also a place half way to
// its neighbour.
std::vector<float> HugePoints() {
  constexpr float kAt = 1 - 0x1p-16f;
  return {kAt, kAt, kAt, kAt, kAt, kAt, 1 - 0x1p-15f, kAt};
}

TEST(PointSampleKernelHugeTest, ReadsTheLastOfSixBillionNumbers) {
  SparseArray<uint8_t> maps(kHugeCount);
  maps.data()[kHugeCount - 1] = 3;
  maps.data()[kHugeCount - 2] = 5;
  const DeviceBuffer<float> points(HugePoints());
  const DeviceBuffer<int64_t> both({0, 1}), second({1, 1});
  DeviceBuffer<float> output(12);
  M2F_EXPECT_CUDA_SUCCESS(LaunchPointSample<uint8_t, float>(
      kHuge, maps.data(), nullptr, points.data(), output.data(), nullptr));
  const auto as_they_are = ElementsAre(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 4);
  EXPECT_THAT(output.ToHost(), as_they_are);
  M2F_EXPECT_CUDA_SUCCESS(LaunchPointSample<uint8_t, float>(
      kHuge, maps.data(), both.data(), points.data(), output.data(), nullptr));
  EXPECT_THAT(output.ToHost(), as_they_are);
  M2F_EXPECT_CUDA_SUCCESS(
      LaunchPointSample<uint8_t, float>(kHuge, maps.data(), second.data(),
                                        points.data(), output.data(), nullptr));
  EXPECT_THAT(output.ToHost(), ElementsAre(0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 3, 4));
}

TEST(PointSampleKernelHugeTest, AddsToTheLastOfSixBillionNumbers) {
  SparseArray<float> maps(kHugeCount);
  const DeviceBuffer<float> points(HugePoints());
  const DeviceBuffer<float> gradients(
      {1.f, 2.f, 3.f, 4.f, 5.f, 6.f, 7.f, 8.f, 9.f, 10.f, 11.f, 12.f});
  M2F_EXPECT_CUDA_SUCCESS(LaunchPointSampleBackward<float>(
      kHuge, gradients.data(), nullptr, points.data(), maps.data(), nullptr));
  const float* const last = maps.data() + kHugeCount - 1;
  EXPECT_EQ(last[0], 11 + 12 / 2);
  EXPECT_EQ(last[-1], 12 / 2);
  const size_t map = size_t{1} << 30;
  EXPECT_EQ(*(last - map), 9 + 10 / 2);
  EXPECT_EQ(maps.data()[3 * map - 1], 5 + 6);
  EXPECT_EQ(maps.data()[map - 1], 1 + 2);
  EXPECT_EQ(maps.data()[0], 0);
}
#endif

// Of 2^31 values and more, which no test can go through.
TEST(PointSampleWorkTest, IndexesMoreThanTwoToTheThirtyOne) {
  constexpr int64_t kGroups = 40, kMaps = 1 << 20, kPoints = 1 << 22;
  const PointSampleSizes sizes = {kGroups, kMaps,   kPoints,
                                  1 << 10, 1 << 10, 1 << 20};
  SparseArray<double> points(2 * kGroups * kPoints);
  const int64_t last = kGroups * kPoints - 1;
  points.data()[2 * last] = points.data()[2 * last + 1] = 0.5;
  SparseArray<int64_t> rows(kGroups);
  rows.data()[kGroups - 1] = sizes.images - 1;

  PointSampleWork<double> work;
  ASSERT_TRUE(FindPointSampleWork(sizes, nullptr, points.data(), last,
                                  /*share=*/4095, /*shares=*/4096, &work));
  EXPECT_EQ(work.taps.weight[3], 0.25);
  EXPECT_EQ(work.count, kMaps / 4096);
  EXPECT_EQ(work.first_map, (39 * kMaps + 4095) << 20);  // 2^45
  EXPECT_EQ(work.map_step, int64_t{1} << 32);
  EXPECT_EQ(work.first_value, (39 * kMaps + 4095) * kPoints + kPoints - 1);
  EXPECT_EQ(work.value_step, int64_t{1} << 34);
  // What the thread reads last is the last value of all.
  EXPECT_EQ(work.first_value + (work.count - 1) * work.value_step,
            kGroups * kMaps * kPoints - 1);
  EXPECT_EQ(work.first_map + (work.count - 1) * work.map_step,
            (kGroups * kMaps - 1) << 20);

  ASSERT_TRUE(FindPointSampleWork(sizes, rows.data(), points.data(), last,
                                  /*share=*/0, /*shares=*/1, &work));
  EXPECT_TRUE(work.readable);
  EXPECT_EQ(work.count, kMaps);
  EXPECT_EQ(work.first_map, ((int64_t{1} << 20) - 1) << 40);
  EXPECT_EQ(work.map_step, 1 << 20);

  EXPECT_FALSE(FindPointSampleWork(sizes, nullptr, points.data(), last + 1,
                                   /*share=*/0, /*shares=*/1, &work));
}

}  // namespace
}  // namespace mask2former
