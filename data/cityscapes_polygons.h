#ifndef MASK2FORMER_DATA_CITYSCAPES_POLYGONS_H_
#define MASK2FORMER_DATA_CITYSCAPES_POLYGONS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/dataset.h"
#include "mask2former/data/polygons/polygon.h"

namespace mask2former {

// An object of a *_gtFine_polygons.json.
struct CityscapesObject {
  const CityscapesLabel* label = nullptr;
  bool is_group = false;  // "cargroup": several cars, not told apart.
  Polygon polygon;        // Vertices are centres of pixels: (0, 0) is a pixel.
  // Whether there is a key "deleted", whatever its value.
  bool has_deleted_key = false;
};

struct CityscapesPolygons {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<CityscapesObject> objects;  // Back to front.
};

// Reads the contents of a *_gtFine_polygons.json.
//
// Returns DataLoss if it is no JSON (cut short, say), InvalidArgument if
// something is missing in it or a label is neither in the table nor that of a
// group; the message names `name` and the object.
absl::StatusOr<CityscapesPolygons> ParseCityscapesPolygons(
    absl::string_view json, absl::string_view name);

// What can be seen of the things in a picture, front to back: class_id 0..7 in
// the order of train ids, crowds among them, id 1, 2, ... in this order.
// Objects are 0.5 pixels fatter than their polygons, whatever is in front cuts
// away, holes are filled. Covered objects, "deleted" ones and license plates
// are left out.
//
// Returns InvalidArgument for a polygon with less than three vertices; the
// message names `name` and the object.
//
// Source: the Cityscapes loader of detectron2 (2020 to 2026), whose outlines
// the published instance models learnt from.
absl::StatusOr<std::vector<Segment>> ThingsFromPolygons(
    const CityscapesPolygons& polygons, absl::string_view name);

// Whether ThingsFromPolygons() has any that is no crowd; stops at the first.
absl::StatusOr<bool> HasThing(const CityscapesPolygons& polygons,
                              absl::string_view name);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_CITYSCAPES_POLYGONS_H_
