#ifndef MASK2FORMER_DATA_POLYGONS_CLIP_H_
#define MASK2FORMER_DATA_POLYGONS_CLIP_H_

#include <memory>
#include <opencv2/core/types.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "mask2former/data/polygons/polygon.h"

namespace mask2former {

// The outlines of the parts of a polygon that lie in a rectangle, holes filled;
// empty if there are none. A polygon that crosses itself is repaired first.
//
// Returns InvalidArgument if the polygon has less than three vertices or one
// that is not finite.
//
// Source: the GEOS library, which the reference uses through shapely:
// buffer(0), then intersection.
absl::StatusOr<std::vector<Polygon>> ClipPolygon(const Polygon& polygon,
                                                 const cv::Rect2d& rectangle);

// What can be seen of objects that cover each other. Objects are added from the
// front to the back, each 0.5 pixels fatter than given, with rounded corners:
// an outline through the centres of border pixels then holds these pixels.
//
// To be used from one thread.
//
// Returns (both functions) as ClipPolygon().
class OcclusionOrder {
 public:
  OcclusionOrder();
  ~OcclusionOrder();

  // Adds an object and returns the outlines of what is not covered, holes
  // filled. An object that is covered wholly changes nothing.
  absl::StatusOr<std::vector<Polygon>> AddAndSee(const Polygon& polygon);

  // Adds an object that only covers others.
  absl::Status Add(const Polygon& polygon);

 private:
  struct Covered;
  std::unique_ptr<Covered> covered_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_POLYGONS_CLIP_H_
