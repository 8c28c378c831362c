#ifndef MASK2FORMER_DATA_SCENE_STREET_H_
#define MASK2FORMER_DATA_SCENE_STREET_H_

#include <vector>

#include "mask2former/data/scene/camera.h"
#include "mask2former/data/scene/color.h"
#include "mask2former/data/scene/drawing.h"
#include "mask2former/data/scene/random.h"

namespace mask2former {

// A range of X in metres on one side of the road; empty if from == to.
struct Strip {
  double from = 0;  // Next to the road.
  double to = 0;
};

// One side of a street, from the road outwards. X is positive on both sides:
// multiply by `sign`.
struct StreetSide {
  int sign = 1;     // -1 left, 1 right.
  double curb = 0;  // Where the road ends.
  Strip verge;      // Grass beside the road, or empty.
  Strip sidewalk;
  Strip garden;       // Grass before the houses, or empty.
  double facade = 0;  // Where the houses begin.
};

// The ground plan of a street.
struct Street {
  Camera camera;
  StreetSide sides[2];  // Left, right.
  double near = 0;      // Z of what the picture's lower edge shows.
  double far = 0;       // Z where the street ends.
};

Street PlanStreet(int height, int width, SceneRandom& random);

// Sky, ground, road with its markings and the houses at the end, far to near:
// all that lies behind everything upright.
std::vector<Drawing> MakeBackdrop(const Street& street, const Palette& palette,
                                  SceneRandom& random);

// The houses along both sides, to be sorted by depth with the rest.
std::vector<Drawing> MakeHouses(const Street& street, const Palette& palette,
                                SceneRandom& random);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_STREET_H_
