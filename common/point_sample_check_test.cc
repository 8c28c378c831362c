#include "mask2former/common/point_sample_check.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mask2former {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

void ExpectRefusal(const std::function<void()>& check,
                   const std::string& message) {
  EXPECT_THAT(check, ThrowsMessage<c10::Error>(HasSubstr(message)));
}

// M = 2, C = 3, H = 4, W = 5; N = 1, T = 6.
struct Arguments {
  at::Tensor maps = at::zeros({2, 3, 4, 5});
  std::vector<int64_t> map_sizes = {2, 3, 4, 5};
  at::Tensor grad_output = at::zeros({1, 3, 6});
  std::optional<at::Tensor> rows = at::zeros({1}, at::kLong);
  at::Tensor points = at::zeros({1, 6, 2});

  PointSampleSizes Check() const {
    return CheckPointSample(maps, rows, points);
  }
  PointSampleSizes CheckBackward() const {
    return CheckPointSampleBackward(grad_output, rows, points, map_sizes);
  }
};

void ExpectForwardRefusal(const Arguments& a, const std::string& message) {
  ExpectRefusal([&] { a.Check(); }, message);
}

void ExpectBackwardRefusal(const Arguments& a, const std::string& message) {
  ExpectRefusal([&] { a.CheckBackward(); }, message);
}

void ExpectBothRefusals(const Arguments& a, const std::string& message) {
  ExpectForwardRefusal(a, message);
  ExpectBackwardRefusal(a, message);
}

std::vector<int64_t> List(const PointSampleSizes& s) {
  return {s.groups, s.maps, s.points, s.height, s.width, s.images};
}

TEST(CheckPointSampleTest, ReadsTheSizesOffTheArguments) {
  Arguments a;
  EXPECT_THAT(List(a.Check()), ElementsAre(1, 3, 6, 4, 5, 2));
  EXPECT_THAT(List(a.CheckBackward()), ElementsAre(1, 3, 6, 4, 5, 2));
  a.rows = std::nullopt;  // Every map at points of its own.
  a.points = at::zeros({2, 6, 2});
  a.grad_output = at::zeros({2, 3, 6});
  EXPECT_THAT(List(a.Check()), ElementsAre(2, 3, 6, 4, 5, 2));
  EXPECT_THAT(List(a.CheckBackward()), ElementsAre(2, 3, 6, 4, 5, 2));
}

TEST(CheckPointSampleTest, NamesTheArgumentOfAnotherShape) {
  Arguments a;
  a.maps = at::zeros({3, 4, 5});
  a.map_sizes = {3, 4, 5};
  ExpectBothRefusals(a, "maps must have shape [M, C, H, W], got [3, 4, 5]");
  a.maps = at::zeros({2, 3, 0, 5});
  a.map_sizes = {2, 3, 0, 5};
  ExpectBothRefusals(a, "maps must have pixels, got sizes [2, 3, 0, 5]");
  a.map_sizes = {2, -3, 4, 5};
  ExpectBackwardRefusal(a, "maps must have pixels, got sizes [2, -3, 4, 5]");
  a.map_sizes = {2, 3, 1 << 16, 1 << 15};
  ExpectBackwardRefusal(a, "fewer than 2^31 pixels, got 65536 x 32768");
  a = {};
  a.rows = at::zeros({1, 1}, at::kLong);
  ExpectBothRefusals(a, "rows must have shape [*], got [1, 1]");
  a.rows = at::empty(std::vector<int64_t>{}, at::kLong);
  ExpectBothRefusals(a, "rows must have shape [*]");
  a = {};
  a.points = at::zeros({2, 6, 2});
  ExpectBothRefusals(a, "points must have shape [1, *, 2], got [2, 6, 2]");
  a.rows = std::nullopt;
  a.points = at::zeros({1, 6, 2});
  ExpectBothRefusals(a, "points must have shape [2, *, 2], got [1, 6, 2]");
  a = {};
  a.grad_output = at::zeros({1, 3, 5});
  ExpectBackwardRefusal(a,
                        "grad_output must have shape [1, 3, 6], got [1, 3, 5]");
}

TEST(CheckPointSampleTest, NamesTheArgumentOfAnotherType) {
  Arguments a;
  for (const at::ScalarType type :
       {at::kBool, at::kByte, at::kHalf, at::kBFloat16, at::kDouble}) {
    a.maps = a.maps.to(type);
    EXPECT_EQ(a.Check().maps, 3);
  }
  a.maps = a.maps.to(at::kInt);
  ExpectForwardRefusal(a,
                       "maps must be bool, uint8 or floating point, got Int");
  a = {};
  a.rows = a.rows->to(at::kInt);
  ExpectBothRefusals(a, "rows must be int64, got Int");
  a = {};
  a.points = a.points.to(at::kLong);
  ExpectBothRefusals(a, "points must be floating point, got Long");
  a = {};
  a.grad_output = a.grad_output.to(at::kHalf);
  ExpectBackwardRefusal(a, "grad_output must be Float or Double, got Half");
}

TEST(CheckPointSampleTest, NamesTheDevices) {
  Arguments a;
  a.points = a.points.to(at::kMeta);
  ExpectForwardRefusal(
      a, "maps and points must be on one device, got cpu and meta");
  ExpectBackwardRefusal(
      a, "grad_output and points must be on one device, got cpu and meta");
  // Rows may be anywhere.
  a = {};
  a.rows = a.rows->to(at::kMeta);
  EXPECT_EQ(a.Check().groups, 1);
}

TEST(PreparePointSampleMapsTest, LeavesTheTypesThatKernelsKnow) {
  for (const at::ScalarType type : {at::kBool, at::kByte, at::kHalf,
                                    at::kBFloat16, at::kFloat, at::kDouble}) {
    const at::Tensor maps = at::ones({2, 3, 4, 5}, type);
    EXPECT_TRUE(PreparePointSampleMaps(maps).is_same(maps)) << type;
    const at::Tensor strided = maps.transpose(2, 3);
    const at::Tensor prepared = PreparePointSampleMaps(strided);
    EXPECT_TRUE(prepared.is_contiguous()) << type;
    EXPECT_TRUE(at::equal(prepared, strided)) << type;
  }
}

// On a GPU as here: what both kernels are given.
TEST(PreparePointSampleMapsTest, MakesFloatsOfNarrowerTypes) {
  const at::Tensor floats = at::arange(24, at::kFloat).view({1, 2, 3, 4});
  for (const at::ScalarType type :
       {at::kFloat8_e5m2, at::kFloat8_e4m3fn, at::kFloat8_e5m2fnuz,
        at::kFloat8_e4m3fnuz}) {
    const at::Tensor maps = floats.to(type);
    const at::Tensor prepared =
        PreparePointSampleMaps(maps.transpose(2, 3)).transpose(2, 3);
    EXPECT_EQ(prepared.scalar_type(), at::kFloat) << type;
    EXPECT_TRUE(prepared.transpose(2, 3).is_contiguous()) << type;
    EXPECT_TRUE(at::equal(prepared, maps.to(at::kFloat))) << type;
    // Numbers that all of these types hold.
    EXPECT_TRUE(at::equal(prepared.flatten().narrow(0, 0, 9),
                          floats.flatten().narrow(0, 0, 9)))
        << type;
  }
}

TEST(PointSampleResultTypeTest, IsDoubleForDoubleOnly) {
  for (const at::ScalarType type :
       {at::kBool, at::kByte, at::kHalf, at::kFloat}) {
    EXPECT_EQ(PointSampleResultType(at::empty({1}, type)), at::kFloat);
  }
  EXPECT_EQ(PointSampleResultType(at::empty({1}, at::kDouble)), at::kDouble);
}

}  // namespace
}  // namespace mask2former
