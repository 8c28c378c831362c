#ifndef MASK2FORMER_DATA_SCENE_PEOPLE_H_
#define MASK2FORMER_DATA_SCENE_PEOPLE_H_

#include <vector>

#include "mask2former/data/scene/camera.h"
#include "mask2former/data/scene/color.h"
#include "mask2former/data/scene/drawing.h"
#include "mask2former/data/scene/random.h"
#include "mask2former/data/scene/vehicles.h"

namespace mask2former {

// Someone on foot, "person".
Drawing MakePerson(const Camera& camera, const Place& place,
                   const Palette& palette, SceneRandom& random);

// A bicycle seen from the side or at an angle, and, if `ridden`, its rider.
std::vector<Drawing> MakeBicycle(bool ridden, const Camera& camera,
                                 const Place& place, const Palette& palette,
                                 SceneRandom& random);

// The same for a motorcycle.
std::vector<Drawing> MakeMotorcycle(bool ridden, const Camera& camera,
                                    const Place& place, const Palette& palette,
                                    SceneRandom& random);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_PEOPLE_H_
