#include "mask2former/common/point_sample_ops.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <sstream>
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
  at::Tensor gradients = at::zeros({1, 3, 6});
  std::optional<at::Tensor> rows = at::zeros({1}, at::kLong);
  at::Tensor points = at::zeros({1, 6, 2});

  PointSampleSizes CheckRead() const {
    return CheckPointSampleRead(maps, rows, points);
  }
  PointSampleSizes CheckAdd() const {
    return CheckPointSampleAdd(gradients, rows, points, map_sizes);
  }
};

void ExpectReadRefusal(const Arguments& a, const std::string& message) {
  ExpectRefusal([&] { a.CheckRead(); }, message);
}

void ExpectAddRefusal(const Arguments& a, const std::string& message) {
  ExpectRefusal([&] { a.CheckAdd(); }, message);
}

void ExpectBothRefusals(const Arguments& a, const std::string& message) {
  ExpectReadRefusal(a, message);
  ExpectAddRefusal(a, message);
}

std::vector<int64_t> List(const PointSampleSizes& s) {
  return {s.groups, s.maps, s.points, s.height, s.width, s.images};
}

TEST(CheckPointSampleTest, ReadsTheSizesOffTheArguments) {
  Arguments a;
  EXPECT_THAT(List(a.CheckRead()), ElementsAre(1, 3, 6, 4, 5, 2));
  EXPECT_THAT(List(a.CheckAdd()), ElementsAre(1, 3, 6, 4, 5, 2));
  a.rows = std::nullopt;  // Every map at points of its own.
  a.points = at::zeros({2, 6, 2});
  a.gradients = at::zeros({2, 3, 6});
  EXPECT_THAT(List(a.CheckRead()), ElementsAre(2, 3, 6, 4, 5, 2));
  EXPECT_THAT(List(a.CheckAdd()), ElementsAre(2, 3, 6, 4, 5, 2));
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
  ExpectAddRefusal(a, "maps must have pixels, got sizes [2, -3, 4, 5]");
  a.map_sizes = {2, 3, 1 << 16, 1 << 15};
  ExpectAddRefusal(a, "fewer than 2^31 pixels, got 65536 x 32768");
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
  a.gradients = at::zeros({1, 3, 5});
  ExpectAddRefusal(a, "gradients must have shape [1, 3, 6], got [1, 3, 5]");
}

TEST(CheckPointSampleTest, NamesTheArgumentOfAnotherType) {
  Arguments a;
  for (const at::ScalarType type :
       {at::kBool, at::kByte, at::kHalf, at::kBFloat16, at::kDouble}) {
    a.maps = a.maps.to(type);
    EXPECT_EQ(a.CheckRead().maps, 3);
  }
  a.maps = a.maps.to(at::kInt);
  ExpectReadRefusal(a, "maps must be bool, uint8 or floating point, got Int");
  a = {};
  a.rows = a.rows->to(at::kInt);
  ExpectBothRefusals(a, "rows must be int64, got Int");
  a = {};
  a.points = a.points.to(at::kLong);
  ExpectBothRefusals(a, "points must be floating point, got Long");
  a = {};
  a.gradients = a.gradients.to(at::kHalf);
  ExpectAddRefusal(a, "gradients must be Float or Double, got Half");
}

TEST(CheckPointSampleTest, NamesTheDevices) {
  Arguments a;
  a.points = a.points.to(at::kMeta);
  ExpectReadRefusal(a,
                    "maps and points must be on one device, got cpu and meta");
  ExpectAddRefusal(
      a, "gradients and points must be on one device, got cpu and meta");
  // Rows may be anywhere.
  a = {};
  a.rows = a.rows->to(at::kMeta);
  EXPECT_EQ(a.CheckRead().groups, 1);
}

TEST(PointSampleOpsTest, ArePartOfLibTorchsDispatcher) {
  const auto schema = [](const char* name) {
    std::ostringstream text;
    text << c10::Dispatcher::singleton().findSchemaOrThrow(name, "").schema();
    return text.str();
  };
  EXPECT_EQ(schema("mask2former::point_sample_read"),
            "mask2former::point_sample_read(Tensor maps, Tensor? rows, "
            "Tensor points) -> Tensor");
  EXPECT_EQ(schema("mask2former::point_sample_add"),
            "mask2former::point_sample_add(Tensor gradients, Tensor? rows, "
            "Tensor points, int[] map_sizes) -> Tensor");
}

TEST(PointSampleOpsTest, TheCpuDoesWithout) {
  EXPECT_FALSE(HasPointSampleOps(at::kCPU));
  const Arguments a;
  ExpectRefusal([&] { PointSampleRead(a.maps, a.rows, a.points); },
                "Could not run 'mask2former::point_sample_read'");
  ExpectRefusal(
      [&] { PointSampleAdd(a.gradients, a.rows, a.points, a.map_sizes); },
      "Could not run 'mask2former::point_sample_add'");
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
