#ifndef MASK2FORMER_DATA_SCENE_SCENE_OBJECT_H_
#define MASK2FORMER_DATA_SCENE_SCENE_OBJECT_H_

#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

namespace mask2former {

// An annotated object, as in *_gtFine_polygons.json.
struct SceneObject {
  std::string label;               // A Cityscapes label, or one + "group".
  std::vector<cv::Point> polygon;  // Inside the picture, at least 3 vertices.
};

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_SCENE_OBJECT_H_
