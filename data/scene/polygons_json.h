#ifndef MASK2FORMER_DATA_SCENE_POLYGONS_JSON_H_
#define MASK2FORMER_DATA_SCENE_POLYGONS_JSON_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "mask2former/data/scene/scene_object.h"

namespace mask2former {

// The text of a *_gtFine_polygons.json: imgHeight, imgWidth and objects with
// label and polygon. Labels are letters and blanks, so nothing is escaped.
std::string PolygonsJson(absl::Span<const SceneObject> objects, int height,
                         int width);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_POLYGONS_JSON_H_
