#ifndef MASK2FORMER_DATA_SCENE_SCENE_H_
#define MASK2FORMER_DATA_SCENE_SCENE_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "absl/status/status.h"
#include "mask2former/data/scene/scene_object.h"
#include "mask2former/data/scene/scene_options.h"

namespace mask2former {

// A picture and its labels.
struct Scene {
  cv::Mat image;         // [H, W] CV_8UC3, channels R, G, B.
  cv::Mat label_ids;     // [H, W] CV_8UC1, as *_gtFine_labelIds.png
  cv::Mat instance_ids;  // [H, W] CV_16UC1, as *_gtFine_instanceIds.png
  std::vector<SceneObject> objects;  // In drawing order, far to near.
};

// Returns InvalidArgument, naming the option and its range, unless MakeScene()
// accepts these options.
absl::Status CheckSceneOptions(const SceneOptions& options);

// Draws a street as a camera in a car sees it: a road to a vanishing point,
// sidewalks, grass, houses, sky, and things and people along it. Shapes,
// places and patterns tell classes apart; colours hardly do.
//
// Equal options and seed give equal bytes on every machine. The label images
// follow from `objects` alone, by RasterizeObjects(). Options are checked.
Scene MakeScene(const SceneOptions& options, uint64_t seed);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_SCENE_H_
