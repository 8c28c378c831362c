#include "mask2former/data/polygons/clip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <opencv2/core/types.hpp>
#include <thread>

#include "mask2former/common/testing/status_matchers.h"

namespace mask2former {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Polygon Rectangle(double x0, double y0, double x1, double y1) {
  return {{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}};
}

double Area(const Polygon& polygon) {
  double twice = 0;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const cv::Point2d& a = polygon[i];
    const cv::Point2d& b = polygon[(i + 1) % polygon.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return std::abs(twice) / 2;
}

TEST(ClipPolygonTest, KeepsTheInside) {
  const auto parts =
      ClipPolygon(Rectangle(-5, 2, 4, 20), cv::Rect2d(0, 0, 10, 10));
  ASSERT_THAT(parts, IsOk());
  ASSERT_THAT(*parts, SizeIs(1));
  ASSERT_THAT((*parts)[0], SizeIs(4));  // The first vertex is not repeated.
  EXPECT_DOUBLE_EQ(Area((*parts)[0]), 4 * 8);
}

TEST(ClipPolygonTest, OutsideAndTouchingGiveNothing) {
  const cv::Rect2d window(0, 0, 10, 10);
  EXPECT_THAT(ClipPolygon(Rectangle(11, 0, 12, 5), window).value(), IsEmpty());
  EXPECT_THAT(ClipPolygon(Rectangle(10, 0, 12, 5), window).value(), IsEmpty());
}

TEST(ClipPolygonTest, CutsIntoSeveralParts) {
  // A horseshoe open to the right.
  const Polygon horseshoe = {{0, 0}, {9, 0}, {9, 2}, {2, 2},
                             {2, 7}, {9, 7}, {9, 9}, {0, 9}};
  const auto parts = ClipPolygon(horseshoe, cv::Rect2d(4, 0, 10, 10));
  ASSERT_THAT(parts, IsOk());
  ASSERT_THAT(*parts, SizeIs(2));
  EXPECT_DOUBLE_EQ(Area((*parts)[0]), 10);
  EXPECT_DOUBLE_EQ(Area((*parts)[1]), 10);
}

TEST(ClipPolygonTest, RepairsAPolygonThatCrossesItself) {
  const Polygon bow_tie = {{0, 0}, {4, 4}, {4, 0}, {0, 4}};
  EXPECT_THAT(ClipPolygon(bow_tie, cv::Rect2d(0, 0, 10, 10)), IsOk());
}

TEST(ClipPolygonTest, RefusesWhatIsNoPolygon) {
  const cv::Rect2d window(0, 0, 10, 10);
  EXPECT_THAT(
      ClipPolygon({{0, 0}, {4, 4}}, window),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2 vertices")));
  EXPECT_THAT(ClipPolygon({{0, 0}, {4, 4}, {0, 0}}, window),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("only two are left")));
  EXPECT_THAT(
      ClipPolygon({{0, 0}, {4, 4}, {std::nan(""), 0}}, window),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not finite")));
}

TEST(OcclusionOrderTest, FattensByHalfAPixelWithRoundCorners) {
  OcclusionOrder order;
  const auto seen = order.AddAndSee(Rectangle(2, 2, 6, 5));
  ASSERT_THAT(seen, IsOk());
  ASSERT_THAT(*seen, SizeIs(1));
  // 4 x 3, four sides of 0.5, and a circle of four times four segments.
  const double circle = 16 * 0.5 * 0.25 * std::sin(M_PI / 8);
  EXPECT_NEAR(Area((*seen)[0]), 12 + 0.5 * 14 + circle, 1e-9);
}

TEST(OcclusionOrderTest, WhatIsInFrontCovers) {
  OcclusionOrder order;
  ASSERT_THAT(order.Add(Rectangle(0, 0, 4, 10)), IsOk());
  const auto seen = order.AddAndSee(Rectangle(2, 0, 8, 10));
  ASSERT_THAT(seen, IsOk());
  ASSERT_THAT(*seen, SizeIs(1));
  // Up to 4.5, but for the round corners of what is in front.
  for (const cv::Point2d& p : (*seen)[0]) EXPECT_GE(p.x, 4);
  EXPECT_NEAR(Area((*seen)[0]), 4 * 11, 0.2);
  // Covered wholly by the two.
  EXPECT_THAT(order.AddAndSee(Rectangle(1, 1, 7, 9)).value(), IsEmpty());
  // Cut in two by them.
  EXPECT_THAT(order.AddAndSee(Rectangle(-4, 4, 20, 5)).value(), SizeIs(2));
}

TEST(OcclusionOrderTest, FillsHoles) {
  OcclusionOrder order;
  ASSERT_THAT(order.Add(Rectangle(4, 4, 6, 6)), IsOk());
  const auto seen = order.AddAndSee(Rectangle(0, 0, 10, 10));
  ASSERT_THAT(seen, IsOk());
  ASSERT_THAT(*seen, SizeIs(1));
  EXPECT_GT(Area((*seen)[0]), 119);
}

TEST(OcclusionOrderTest, WorksInEveryThread) {
  std::vector<std::thread> threads;
  std::vector<size_t> parts(4, 0);
  for (size_t i = 0; i < parts.size(); ++i) {
    threads.emplace_back([&parts, i] {
      OcclusionOrder order;
      parts[i] = order.AddAndSee(Rectangle(0, 0, 9, 9)).value().size();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(std::count(parts.begin(), parts.end(), 1u), 4);
}

}  // namespace
}  // namespace mask2former
