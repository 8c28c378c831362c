#ifndef MASK2FORMER_DATA_SCENE_RENDER_H_
#define MASK2FORMER_DATA_SCENE_RENDER_H_

#include <opencv2/core/mat.hpp>
#include <vector>

#include "mask2former/data/scene/camera.h"
#include "mask2former/data/scene/drawing.h"
#include "mask2former/data/scene/polygon.h"
#include "mask2former/data/scene/random.h"

namespace mask2former {

// A drawing and its outline; an empty outline is not seen.
struct OutlinedDrawing {
  Drawing drawing;
  LatticePolygon outline;
};

// Paints drawings, later ones over earlier ones: exactly the pixels that
// FillPolygon() gives for the outlines, so that picture and labels agree.
// Small pictures are supersampled. Then light, colour balance, the lens' blur
// and the sensor's noise, all drawn from `random`.
//
//   returns  [H, W] CV_8UC3, channels R, G, B
cv::Mat RenderPicture(const std::vector<OutlinedDrawing>& drawings,
                      const Camera& camera, SceneRandom& random);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_SCENE_RENDER_H_
