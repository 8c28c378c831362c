#ifndef MASK2FORMER_DATA_POLYGONS_POLYGON_H_
#define MASK2FORMER_DATA_POLYGONS_POLYGON_H_

#include <opencv2/core/types.hpp>
#include <vector>

namespace mask2former {

// Vertices in order, (x, y) in pixels, the corner of the first pixel being
// (0, 0) and its centre (0.5, 0.5); the last vertex need not repeat the first.
using Polygon = std::vector<cv::Point2d>;

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_POLYGONS_POLYGON_H_
