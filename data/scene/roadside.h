#ifndef MASK2FORMER_DATA_SCENE_ROADSIDE_H_
#define MASK2FORMER_DATA_SCENE_ROADSIDE_H_

#include <vector>

#include "mask2former/data/scene/camera.h"
#include "mask2former/data/scene/color.h"
#include "mask2former/data/scene/drawing.h"
#include "mask2former/data/scene/random.h"
#include "mask2former/data/scene/vehicles.h"

namespace mask2former {

// What a pole carries.
enum class Sign { kNone, kTrafficSign, kTrafficLight };

// A pole of this height in metres with its lamp, sign or light, in drawing
// order.
//
//   minimum  of the pole's width in the picture, pixels; signs are 2.5 times as
//            wide and lights as wide again
std::vector<Drawing> MakePole(Sign sign, double pole_height, double minimum,
                              const Camera& camera, const Place& place,
                              const Palette& palette, SceneRandom& random);

// A tree, or a bush, whose crown touches the ground; "vegetation".
Drawing MakeTree(bool bush, const Camera& camera, const Place& place,
                 const Palette& palette, SceneRandom& random);

// A "fence" or "wall" along the street, from depth near to far, at X = x.
Drawing MakeBarrier(const char* label, double x, double near, double far,
                    const Camera& camera, const Palette& palette,
                    SceneRandom& random);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_ROADSIDE_H_
