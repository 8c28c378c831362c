#ifndef MASK2FORMER_EVAL_PICTURE_PREDICTOR_H_
#define MASK2FORMER_EVAL_PICTURE_PREDICTOR_H_

#include <ATen/core/Tensor.h>

#include <vector>

#include "mask2former/common/image_size.h"
#include "mask2former/eval/network_classes.h"
#include "mask2former/eval/semantic_predictor.h"
#include "mask2former/model/instance_inference.h"
#include "mask2former/model/model_config.pb.h"
#include "mask2former/model/panoptic_inference.h"

namespace mask2former {

class Segmentor;

// All that a model says of one picture; what its settings do not switch on is
// empty.
struct PicturePrediction : SemanticPrediction {
  PanopticPrediction panoptic;
  // Highest score first; things only, which those of stuff have made fewer than
  // config.top_k().
  std::vector<InstancePrediction> instances;
};

// Segments a picture: every task that `config` switches on, from one run of
// the model. It should be in evaluation mode; no gradients are recorded.
//
//   classes      of the model
//   image        [3, H, W] uint8, R, G, B, any size
//   output       the size wanted, usually that of the file that `image` was
//                made of
//   with_scores  of the semantic task, as LabelPixels()
//
// Memory: as LabelPixels(), PanopticInference() and InstanceInference(), one
// after the other.
//
// Throws c10::Error as Segmentor does.
PicturePrediction PredictPicture(Segmentor& segmentor,
                                 const InferenceConfig& config,
                                 const NetworkClasses& classes,
                                 const at::Tensor& image,
                                 const ImageSize& output,
                                 bool with_scores = false);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PICTURE_PREDICTOR_H_
