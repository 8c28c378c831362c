#include "mask2former/data/polygons/coco_fill.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <vector>

namespace mask2former {
namespace {

constexpr int kScale = 5;  // Points per pixel along an outline.
constexpr double kLargest = 1e8;

struct Crossing {
  int column;
  int row;  // First pixel below it, 0 .. H.
};

cv::Point Scaled(const cv::Point2d& p) {
  TORCH_CHECK(std::abs(p.x) < kLargest && std::abs(p.y) < kLargest,
              "a vertex at (", p.x, ", ", p.y, ") is out of range");
  return {static_cast<int>(kScale * p.x + 0.5),
          static_cast<int>(kScale * p.y + 0.5)};
}

// Calls visit(point) for the points from `from` to `to`, one for each step
// along the longer axis. The other coordinate is always reckoned from the end
// with the smaller one, so that both directions give the same points.
template <typename Visit>
void WalkEdge(const cv::Point& from, const cv::Point& to, const Visit& visit) {
  const int dx = std::abs(to.x - from.x);
  const int dy = std::abs(to.y - from.y);
  const bool along_x = dx >= dy;
  const int steps = std::max(dx, dy);
  const bool backwards = along_x ? from.x > to.x : from.y > to.y;
  const cv::Point& low = backwards ? to : from;
  const cv::Point& high = backwards ? from : to;
  const int rise = along_x ? high.y - low.y : high.x - low.x;
  const double slope = steps == 0 ? 0.0 : static_cast<double>(rise) / steps;
  for (int i = 0; i <= steps; ++i) {
    const int t = backwards ? steps - i : i;
    const int major = (along_x ? low.x : low.y) + t;
    const int minor =
        static_cast<int>((along_x ? low.y : low.x) + slope * t + 0.5);
    visit(along_x ? cv::Point(major, minor) : cv::Point(minor, major));
  }
}

// Where the outline crosses the centre lines of columns 0 .. width - 1.
std::vector<Crossing> Crossings(const Polygon& polygon, int height, int width) {
  std::vector<Crossing> crossings;
  cv::Point before = Scaled(polygon.front());
  const auto visit = [&](const cv::Point& point) {
    const cv::Point last = before;
    before = point;
    if (point.x == last.x) return;
    // Steps between columns' centres end in the middle of a fifth.
    const int left = std::min(point.x, last.x);
    const double column = (left + 0.5) / kScale - 0.5;
    if (column != std::floor(column) || column < 0 || column > width - 1) {
      return;
    }
    const double y = (std::min(point.y, last.y) + 0.5) / kScale - 0.5;
    const double row = std::ceil(std::clamp(y, 0.0, double{1} * height));
    crossings.push_back({static_cast<int>(column), static_cast<int>(row)});
  };
  for (size_t i = 0; i < polygon.size(); ++i) {
    WalkEdge(Scaled(polygon[i]), Scaled(polygon[(i + 1) % polygon.size()]),
             visit);
  }
  return crossings;
}

}  // namespace

void FillCocoPolygon(const Polygon& polygon, cv::Mat& mask) {
  TORCH_CHECK(mask.type() == CV_8UC1, "mask must be CV_8UC1");
  if (polygon.empty()) return;
  const std::vector<Crossing> crossings =
      Crossings(polygon, mask.rows, mask.cols);
  if (crossings.empty()) return;
  Crossing low = crossings.front();
  Crossing high = crossings.front();
  for (const Crossing& crossing : crossings) {
    low.column = std::min(low.column, crossing.column);
    high.column = std::max(high.column, crossing.column);
    low.row = std::min(low.row, crossing.row);
    high.row = std::max(high.row, crossing.row);
  }
  // An outline is closed: every column has an even number of crossings, the
  // last of which ends what the others began.
  const int width = high.column - low.column + 1;
  const size_t area = static_cast<size_t>(high.row - low.row + 1) * width;
  std::vector<uint8_t> toggles(area, 0);
  for (const Crossing& crossing : crossings) {
    toggles[static_cast<size_t>(crossing.row - low.row) * width +
            (crossing.column - low.column)] ^= 1;
  }
  std::vector<uint8_t> inside(width, 0);
  for (int y = low.row; y < high.row; ++y) {
    const uint8_t* toggle =
        toggles.data() + static_cast<size_t>(y - low.row) * width;
    uint8_t* row = mask.ptr<uint8_t>(y) + low.column;
    for (int x = 0; x < width; ++x) {
      inside[x] ^= toggle[x];
      row[x] |= inside[x];
    }
  }
}

}  // namespace mask2former
