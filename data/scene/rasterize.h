#ifndef MASK2FORMER_DATA_SCENE_RASTERIZE_H_
#define MASK2FORMER_DATA_SCENE_RASTERIZE_H_

#include <opencv2/core/mat.hpp>
#include <vector>

#include "mask2former/data/scene/scene_object.h"

namespace mask2former {

struct LabelImages {
  cv::Mat label_ids;     // [H, W] CV_8UC1
  cv::Mat instance_ids;  // [H, W] CV_16UC1
};

// Makes label images of annotated objects as the official scripts do: objects
// in order, later ones over earlier ones, 0 where there is none.
//
// An instance gets label id * 1000 + running number of its class; the number
// grows even if the object is hidden later. A group ("cargroup") gets the bare
// label id. "license plate" draws nothing. Labels must exist (checked).
//
// Source: the preparation scripts of Cityscapes, json2labelImg and
// json2instanceImg.
LabelImages RasterizeObjects(const std::vector<SceneObject>& objects,
                             int height, int width);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_RASTERIZE_H_
