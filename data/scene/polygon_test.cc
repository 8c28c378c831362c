#include "mask2former/data/scene/polygon.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>

#include "mask2former/data/scene/random.h"

namespace mask2former {
namespace {

template <typename AnyPolygon>
cv::Mat Filled(const AnyPolygon& polygon, int height, int width) {
  cv::Mat mask = cv::Mat::zeros(height, width, CV_8UC1);
  FillPolygon(polygon, height, width, [&](int y, int first, int last) {
    EXPECT_TRUE(0 <= y && y < height && 0 <= first && first <= last &&
                last < width);
    for (int x = first; x <= last; ++x) mask.at<uint8_t>(y, x) = 1;
  });
  return mask;
}

int Different(const cv::Mat& a, const cv::Mat& b) {
  return cv::countNonZero(a != b);
}

TEST(FillPolygonTest, IncludesTheBoundary) {
  const LatticePolygon rectangle = {{2, 2}, {6, 2}, {6, 5}, {2, 5}};
  EXPECT_EQ(cv::countNonZero(Filled(rectangle, 10, 10)), 20);
  const LatticePolygon triangle = {{0, 0}, {4, 0}, {0, 4}};
  EXPECT_EQ(cv::countNonZero(Filled(triangle, 10, 10)), 15);
  const LatticePolygon line = {{1, 1}, {4, 4}};
  EXPECT_EQ(cv::countNonZero(Filled(line, 10, 10)), 4);
  EXPECT_EQ(cv::countNonZero(Filled(LatticePolygon{{3, 3}}, 10, 10)), 1);
  EXPECT_EQ(cv::countNonZero(Filled(LatticePolygon{}, 10, 10)), 0);
}

TEST(FillPolygonTest, RoundsCrossingsToTheNearestPixel) {
  // The long side passes x = 1/3, 2/3 in the rows between.
  const cv::Mat mask =
      Filled(LatticePolygon{{0, 0}, {5, 0}, {5, 3}, {1, 3}}, 4, 6);
  EXPECT_EQ(mask.at<uint8_t>(1, 0), 1);  // 1/3 rounds to 0.
  EXPECT_EQ(mask.at<uint8_t>(2, 0), 0);  // 2/3 rounds to 1.
  EXPECT_EQ(mask.at<uint8_t>(2, 1), 1);
}

TEST(FillPolygonTest, DoesNotDependOnStartOrDirection) {
  const LatticePolygon forth = {{1, 1}, {8, 2}, {5, 8}, {3, 4}};
  const LatticePolygon back = {{5, 8}, {8, 2}, {1, 1}, {3, 4}};
  EXPECT_EQ(Different(Filled(forth, 10, 10), Filled(back, 10, 10)), 0);
}

TEST(FillPolygonTest, ClipsToThePicture) {
  const Polygon large = Rectangle(-1e9, -100, 1e9, 1e12);
  EXPECT_EQ(cv::countNonZero(Filled(large, 7, 9)), 63);
  EXPECT_EQ(cv::countNonZero(Filled(Rectangle(20, 0, 30, 5), 7, 9)), 0);
}

TEST(TraceOutlineTest, GivesAPolygonThatFillsTheUnionAgain) {
  SceneRandom random(3);
  for (int i = 0; i < 40; ++i) {
    std::vector<Polygon> parts;
    const cv::Point2d middle = {random.Uniform(15, 45), random.Uniform(15, 25)};
    for (int k = 0; k < 5; ++k) {
      const cv::Point2d a = {random.Uniform(-12, 12), random.Uniform(-12, 12)};
      parts.push_back(Capsule(middle, middle + a, 2.5));
    }
    cv::Mat both = cv::Mat::zeros(40, 60, CV_8UC1);
    for (const Polygon& part : parts) {
      cv::bitwise_or(both, Filled(part, 40, 60), both);
    }
    const LatticePolygon outline = TraceOutline(parts, 40, 60);
    const cv::Mat again = outline.empty() ? cv::Mat::zeros(40, 60, CV_8UC1)
                                          : Filled(outline, 40, 60);
    // Nothing of the union is lost; only holes may be added.
    EXPECT_EQ(cv::countNonZero(both & ~(again * 255)), 0) << i;
    EXPECT_LE(Different(both, again), 12) << i;
  }
}

TEST(TraceOutlineTest, KeepsTheLargestPieceAndClosesHoles) {
  const std::vector<Polygon> apart = {Rectangle(1, 1, 3, 3),
                                      Rectangle(6, 1, 15, 8)};
  EXPECT_EQ(cv::countNonZero(Filled(TraceOutline(apart, 20, 20), 20, 20)), 80);
  const std::vector<Polygon> frame = {
      Rectangle(1, 1, 10, 2), Rectangle(1, 9, 10, 10), Rectangle(1, 1, 2, 10),
      Rectangle(9, 1, 10, 10)};
  EXPECT_EQ(cv::countNonZero(Filled(TraceOutline(frame, 20, 20), 20, 20)), 100);
  EXPECT_TRUE(TraceOutline({}, 20, 20).empty());
}

TEST(DirectionTest, IsCosineAndSine) {
  for (double turns = -1.3; turns < 2; turns += 0.0173) {
    const cv::Point2d direction = Direction(turns);
    EXPECT_NEAR(direction.x, std::cos(2 * M_PI * turns), 1e-12);
    EXPECT_NEAR(direction.y, std::sin(2 * M_PI * turns), 1e-12);
  }
}

TEST(ShapesTest, HaveTheAreasOfGeometry) {
  EXPECT_NEAR(cv::countNonZero(Filled(Ellipse({50, 50}, 40, 20, 64), 100, 100)),
              M_PI * 40 * 20, 90);
  EXPECT_NEAR(
      cv::countNonZero(Filled(Capsule({20, 50}, {80, 50}, 10), 100, 100)),
      60 * 20 + M_PI * 100, 90);
  const Polygon hull =
      ConvexHull({{0, 0}, {4, 0}, {2, 1}, {4, 4}, {0, 4}, {2, 2}, {0, 0}});
  EXPECT_EQ(hull.size(), 4u);
}

}  // namespace
}  // namespace mask2former
