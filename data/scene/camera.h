#ifndef MASK2FORMER_DATA_SCENE_CAMERA_H_
#define MASK2FORMER_DATA_SCENE_CAMERA_H_

#include <opencv2/core/types.hpp>

namespace mask2former {

// A pinhole camera that looks along a straight, flat street.
//
// World, in metres: X to the right of the camera, Y up from the ground, Z ahead
// of the camera. Picture, in pixels: see polygon.h.
struct Camera {
  int height = 0;  // Of the picture.
  int width = 0;
  double focal = 0;      // Pixels.
  double horizon_x = 0;  // The vanishing point of the street.
  double horizon_y = 0;
  double elevation = 0;  // Of the camera above the ground, metres.

  // z > 0.
  cv::Point2d Project(double x, double y, double z) const {
    return {horizon_x + focal * x / z, horizon_y + focal * (elevation - y) / z};
  }
  // Pixels per metre at depth z.
  double Scale(double z) const { return focal / z; }
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_CAMERA_H_
