#include "mask2former/data/scene/polygon.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core/mat.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

namespace mask2former {
namespace {

constexpr int kSubpixelBits = 4;
constexpr int kMaximum = 1 << 22;  // Keeps products inside 64 bits.

int64_t FloorDivide(int64_t a, int64_t b) {  // b > 0
  return a / b - (a % b < 0);
}

// A crossing of a row with an edge: x = numerator / denominator, in pixels.
struct Crossing {
  int64_t numerator;
  int64_t denominator;
  double x;
};

// Fills a polygon whose vertices are in units of 1 / 2^bits pixel.
void FillFixed(const LatticePolygon& polygon, int bits, int height, int width,
               SpanVisitor visit) {
  if (polygon.empty() || height < 1 || width < 1) return;
  const int64_t unit = int64_t{1} << bits;
  int64_t top = polygon[0].y;
  int64_t bottom = polygon[0].y;
  for (const cv::Point& p : polygon) {
    top = std::min<int64_t>(top, p.y);
    bottom = std::max<int64_t>(bottom, p.y);
  }
  const int64_t first_row = std::max<int64_t>(-FloorDivide(-top, unit), 0);
  const int64_t last_row =
      std::min<int64_t>(FloorDivide(bottom, unit), height - 1);
  const auto emit = [&](int64_t y, int64_t first, int64_t last) {
    first = std::max<int64_t>(first, 0);
    last = std::min<int64_t>(last, width - 1);
    if (first <= last) {
      visit(static_cast<int>(y), static_cast<int>(first),
            static_cast<int>(last));
    }
  };
  std::vector<Crossing> crossings;
  for (int64_t row = first_row; row <= last_row; ++row) {
    const int64_t y = row * unit;
    // An edge owns its upper end in the first pass and its lower end in the
    // second, so that a vertex never makes the number of crossings odd and
    // both rows at a horizontal boundary are filled.
    for (const bool owns_upper : {true, false}) {
      crossings.clear();
      for (size_t i = 0; i < polygon.size(); ++i) {
        cv::Point a = polygon[i];
        cv::Point b = polygon[i + 1 == polygon.size() ? 0 : i + 1];
        if (a.y > b.y) std::swap(a, b);
        if (a.y == b.y) {
          if (a.y == y && owns_upper) {
            const int64_t left = std::min(a.x, b.x);
            const int64_t right = std::max(a.x, b.x);
            emit(row, FloorDivide(2 * left + unit, 2 * unit),
                 -FloorDivide(-(2 * right - unit), 2 * unit));
          }
          continue;
        }
        if (owns_upper ? (y < a.y || y >= b.y) : (y <= a.y || y > b.y)) {
          continue;
        }
        const int64_t rise = int64_t{b.y} - a.y;
        Crossing crossing;
        crossing.numerator = a.x * rise + (y - a.y) * (int64_t{b.x} - a.x);
        crossing.denominator = rise * unit;
        crossing.x = static_cast<double>(crossing.numerator) /
                     static_cast<double>(crossing.denominator);
        crossings.push_back(crossing);
      }
      std::sort(crossings.begin(), crossings.end(),
                [](const Crossing& a, const Crossing& b) { return a.x < b.x; });
      for (size_t i = 0; i + 1 < crossings.size(); i += 2) {
        const Crossing& left = crossings[i];
        const Crossing& right = crossings[i + 1];
        emit(row,
             FloorDivide(2 * left.numerator + left.denominator,
                         2 * left.denominator),
             -FloorDivide(-(2 * right.numerator - right.denominator),
                          2 * right.denominator));
      }
    }
  }
}

int Clamp(double value) {
  return static_cast<int>(std::floor(
      std::max<double>(-kMaximum, std::min<double>(kMaximum, value)) + 0.5));
}

double Cross(cv::Point2d o, cv::Point2d a, cv::Point2d b) {
  return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

}  // namespace

void FillPolygon(const LatticePolygon& polygon, int height, int width,
                 SpanVisitor visit) {
  FillFixed(polygon, 0, height, width, visit);
}

void FillPolygon(const Polygon& polygon, int height, int width,
                 SpanVisitor visit) {
  LatticePolygon fixed;
  fixed.reserve(polygon.size());
  for (const cv::Point2d& p : polygon) {
    fixed.emplace_back(Clamp(p.x * (1 << kSubpixelBits)),
                       Clamp(p.y * (1 << kSubpixelBits)));
  }
  FillFixed(fixed, kSubpixelBits, height, width, visit);
}

LatticePolygon TraceOutline(absl::Span<const Polygon> parts, int height,
                            int width) {
  // Only the rectangle that the parts reach is looked at.
  double left = width, top = height, right = -1, bottom = -1;
  for (const Polygon& part : parts) {
    for (const cv::Point2d& p : part) {
      left = std::min(left, p.x);
      right = std::max(right, p.x);
      top = std::min(top, p.y);
      bottom = std::max(bottom, p.y);
    }
  }
  const int x0 = static_cast<int>(std::max(0.0, std::floor(left) - 1));
  const int y0 = static_cast<int>(std::max(0.0, std::floor(top) - 1));
  const int x1 = static_cast<int>(std::min(width - 1.0, std::ceil(right) + 1));
  const int y1 =
      static_cast<int>(std::min(height - 1.0, std::ceil(bottom) + 1));
  if (x0 > x1 || y0 > y1) return {};
  cv::Mat mask = cv::Mat::zeros(y1 - y0 + 1, x1 - x0 + 1, CV_8UC1);
  for (const Polygon& part : parts) {
    FillPolygon(part, height, width, [&](int y, int first_x, int last_x) {
      uint8_t* row = mask.ptr<uint8_t>(y - y0);
      std::fill(row + (first_x - x0), row + (last_x - x0) + 1, 1);
    });
  }
  std::vector<LatticePolygon> outlines;
  cv::findContours(mask, outlines, cv::RETR_EXTERNAL, cv::CHAIN_APPROX_SIMPLE,
                   cv::Point(x0, y0));
  LatticePolygon* largest = nullptr;
  double largest_area = -1;
  for (LatticePolygon& outline : outlines) {
    const double area = cv::contourArea(outline);
    if (area > largest_area) {
      largest_area = area;
      largest = &outline;
    }
  }
  return largest == nullptr ? LatticePolygon{} : std::move(*largest);
}

Polygon Rectangle(double left, double top, double right, double bottom) {
  return {{left, top}, {right, top}, {right, bottom}, {left, bottom}};
}

Polygon Ellipse(cv::Point2d center, double radius_x, double radius_y,
                int count) {
  Polygon polygon;
  polygon.reserve(count);
  for (int i = 0; i < count; ++i) {
    const cv::Point2d direction = Direction(static_cast<double>(i) / count);
    polygon.emplace_back(center.x + radius_x * direction.x,
                         center.y + radius_y * direction.y);
  }
  return polygon;
}

Polygon RegularPolygon(cv::Point2d center, double radius, int count,
                       double turn) {
  Polygon polygon;
  polygon.reserve(count);
  for (int i = 0; i < count; ++i) {
    polygon.push_back(
        center + radius * Direction(turn + static_cast<double>(i) / count));
  }
  return polygon;
}

Polygon Capsule(cv::Point2d a, cv::Point2d b, double radius) {
  std::vector<cv::Point2d> points;
  for (int i = 0; i < 12; ++i) {
    const cv::Point2d offset = radius * Direction(i / 12.0);
    points.push_back(a + offset);
    points.push_back(b + offset);
  }
  return ConvexHull(std::move(points));
}

Polygon ConvexHull(std::vector<cv::Point2d> points) {
  std::sort(points.begin(), points.end(),
            [](const cv::Point2d& a, const cv::Point2d& b) {
              return a.x < b.x || (a.x == b.x && a.y < b.y);
            });
  if (points.size() < 3) return points;
  // Andrew's monotone chain: lower hull, then upper.
  Polygon hull;
  for (const int pass : {0, 1}) {
    const size_t start = hull.size();
    for (const cv::Point2d& p : points) {
      while (hull.size() >= start + 2 &&
             Cross(hull[hull.size() - 2], hull.back(), p) <= 0) {
        hull.pop_back();
      }
      hull.push_back(p);
    }
    hull.pop_back();
    if (pass == 0) std::reverse(points.begin(), points.end());
  }
  return hull;
}

cv::Point2d Direction(double turns) {
  turns -= std::floor(turns);
  const int quadrant = static_cast<int>(turns * 4) & 3;
  const double angle = (turns - quadrant * 0.25) * 6.283185307179586;
  const double square = angle * angle;
  double sine = 0;
  double cosine = 0;
  for (int i = 8; i >= 0; --i) {  // Taylor series, by Horner's scheme.
    sine = 1 - square / ((2 * i + 2) * (2 * i + 3)) * sine;
    cosine = 1 - square / ((2 * i + 1) * (2 * i + 2)) * cosine;
  }
  sine *= angle;
  switch (quadrant) {
    case 0:
      return {cosine, sine};
    case 1:
      return {-sine, cosine};
    case 2:
      return {-cosine, -sine};
    default:
      return {sine, -cosine};
  }
}

}  // namespace mask2former
