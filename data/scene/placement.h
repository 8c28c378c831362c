#ifndef MASK2FORMER_DATA_SCENE_PLACEMENT_H_
#define MASK2FORMER_DATA_SCENE_PLACEMENT_H_

#include <vector>

#include "mask2former/data/scene/color.h"
#include "mask2former/data/scene/drawing.h"
#include "mask2former/data/scene/random.h"
#include "mask2former/data/scene/scene_options.h"
#include "mask2former/data/scene/street.h"

namespace mask2former {

// Everything that stands in a street, in drawing order: trees behind fences,
// fences, then from far to near trees, poles, signs, vehicles and people. Near
// things are placed first, and what would hide or be hidden for the most part
// moves or is left out.
std::vector<Drawing> PlaceObjects(const Street& street,
                                  const SceneOptions& options,
                                  const Palette& palette, SceneRandom& random);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_PLACEMENT_H_
