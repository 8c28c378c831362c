#ifndef MASK2FORMER_DATA_SCENE_POLYGON_H_
#define MASK2FORMER_DATA_SCENE_POLYGON_H_

// Polygons in picture coordinates: x to the right, y down, the centre of the
// top left pixel at (0, 0).

#include <cstdint>
#include <opencv2/core/types.hpp>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

namespace mask2former {

using Polygon = std::vector<cv::Point2d>;
using LatticePolygon = std::vector<cv::Point>;

// The pixels of row y from first_x to last_x, both included.
using SpanVisitor = absl::FunctionRef<void(int y, int first_x, int last_x)>;

// Visits the pixels of a polygon, clipped to the picture; some more than once.
//
// Vertices are pixel centres and the boundary belongs to the polygon: the
// rectangle (2, 2)-(6, 5) has 5 x 4 pixels. A row's crossings with the boundary
// round to the nearest pixel, halves to the inside. Where the boundary crosses
// itself the even-odd rule holds. Integer arithmetic throughout.
//
// On outlines by TraceOutline() the same as Pillow's ImageDraw.polygon, which
// the official scripts use; on others it may differ at sharp corners.
void FillPolygon(const LatticePolygon& polygon, int height, int width,
                 SpanVisitor visit);

// The same for vertices in between, rounded to 1/16 pixel.
void FillPolygon(const Polygon& polygon, int height, int width,
                 SpanVisitor visit);

// The outline of a union of polygons as one polygon with integer vertices
// inside the picture, which FillPolygon() fills again; holes are closed.
//
// Empty if nothing is inside the picture. If what is inside has several
// pieces, the largest.
LatticePolygon TraceOutline(absl::Span<const Polygon> parts, int height,
                            int width);

// Shapes. All vertices go around once; `count` is the number of vertices.
Polygon Rectangle(double left, double top, double right, double bottom);
Polygon Ellipse(cv::Point2d center, double radius_x, double radius_y,
                int count = 32);
// A regular polygon; the first vertex at `turn` of a full turn from the right.
Polygon RegularPolygon(cv::Point2d center, double radius, int count,
                       double turn);
// A line from a to b of thickness 2 * radius with round ends.
Polygon Capsule(cv::Point2d a, cv::Point2d b, double radius);
// The smallest convex polygon around points.
Polygon ConvexHull(std::vector<cv::Point2d> points);

// Cosine and sine of an angle in full turns: x^2 + y^2 = 1. By a polynomial,
// since those of C's library differ between systems.
cv::Point2d Direction(double turns);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_POLYGON_H_
