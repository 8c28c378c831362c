#ifndef MASK2FORMER_DATA_SCENE_DRAWING_H_
#define MASK2FORMER_DATA_SCENE_DRAWING_H_

#include <string>
#include <vector>

#include "mask2former/data/scene/polygon.h"
#include "mask2former/data/scene/surface.h"

namespace mask2former {

// A part of a drawing that the picture shows and the labels do not.
struct Detail {
  Polygon polygon;
  Surface surface;
};

// One labelled object before it is drawn.
struct Drawing {
  std::string label;            // "car", "cargroup", "ego vehicle", ...
  std::vector<Polygon> parts;   // Their union is the object.
  Surface surface;              // Shown where no detail is.
  std::vector<Detail> details;  // In drawing order; cut off at the outline.
  // Darkens what lies beneath, drawn before the object; may be empty.
  Polygon shadow;
  double depth = 0;  // Z in metres; farther objects are drawn first.
};

// Adds a part that is also a detail with a surface of its own.
inline void AddPart(Drawing& drawing, Polygon polygon, const Surface& surface) {
  drawing.parts.push_back(polygon);
  drawing.details.push_back({std::move(polygon), surface});
}

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_DRAWING_H_
