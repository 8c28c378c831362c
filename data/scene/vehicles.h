#ifndef MASK2FORMER_DATA_SCENE_VEHICLES_H_
#define MASK2FORMER_DATA_SCENE_VEHICLES_H_

#include <vector>

#include "mask2former/data/scene/camera.h"
#include "mask2former/data/scene/color.h"
#include "mask2former/data/scene/drawing.h"
#include "mask2former/data/scene/random.h"

namespace mask2former {

// Where something stands on the ground.
struct Place {
  double x = 0;      // Metres, of its middle.
  double z = 0;      // Metres, of its nearest point.
  double scale = 1;  // Of the object, 1 is life size.
};

// A car along the street: its front or back towards the camera, and the side
// that the camera sees. The last drawing, if there are two, is the licence
// plate.
std::vector<Drawing> MakeCar(const Camera& camera, const Place& place,
                             const Palette& palette, SceneRandom& random);

// A car across the street, seen from the side.
Drawing MakeCrossingCar(const Camera& camera, const Place& place,
                        const Palette& palette, SceneRandom& random);

// A vehicle like a box: "bus", "truck", "train" or "caravan".
Drawing MakeBoxVehicle(const char* label, const Camera& camera,
                       const Place& place, const Palette& palette,
                       SceneRandom& random);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_VEHICLES_H_
