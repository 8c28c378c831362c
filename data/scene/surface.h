#ifndef MASK2FORMER_DATA_SCENE_SURFACE_H_
#define MASK2FORMER_DATA_SCENE_SURFACE_H_

#include <cstdint>
#include <opencv2/core/types.hpp>

#include "mask2former/data/scene/camera.h"
#include "mask2former/data/scene/color.h"

namespace mask2former {

// The pattern of a surface: what tells classes apart.
enum class Texture {
  kFlat,      // One colour.
  kVoid,      // Almost black; outside the camera's view.
  kSky,       // Gradient and clouds.
  kAsphalt,   // Fine grain, patches, tyre tracks.
  kPaving,    // Slabs with joints.
  kGrass,     // Tufts.
  kLeaves,    // Dabs of light and shade.
  kFacade,    // Floors of windows.
  kPickets,   // Upright boards between two rails.
  kBricks,    // Courses of stones.
  kCylinder,  // Light from one side to shade on the other.
  kPaint,     // Glossy: bright above, dark below.
  kGlass,     // Dark with slanted reflections.
  kCloth,     // Folds.
  kWheel,     // Tyre, rim, spokes; `origin` is the hub, `cell` the radii.
  kSpokes,    // A bicycle's wheel, likewise.
  kCoach,     // A row of windows, a band below.
  kCargo,     // Ribs.
};

// The plane in which a texture lies; (u, v) are its coordinates.
enum class Plane {
  kPicture,  // u, v: pixels / picture height.
  kGround,   // u = X, v = Z.
  kSide,     // Upright, along the street at X = offset: u = Z, v = Y.
  kFront,    // Upright, facing the camera at Z = offset: u = X, v = Y.
};

struct Surface {
  Texture texture = Texture::kFlat;
  Plane plane = Plane::kPicture;
  double offset = 0;
  Color base;
  Color accent;
  uint32_t seed = 0;
  cv::Point2f origin;           // Where the pattern begins, (u, v).
  cv::Point2f cell = {1, 1};    // Its period.
  cv::Point2f extent = {1, 1};  // Of the whole surface from `origin`.
  float light = 1;              // Factor on everything.
};

// The light that a point of the picture gets from a surface.
Color Shade(const Surface& surface, const Camera& camera, double x, double y);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_SURFACE_H_
