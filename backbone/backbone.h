// A backbone turns images into a pyramid of feature maps.

#ifndef MASK2FORMER_BACKBONE_BACKBONE_H_
#define MASK2FORMER_BACKBONE_BACKBONE_H_

#include <torch/nn/module.h>
#include <torch/types.h>

#include "mask2former/common/feature_pyramid.h"

namespace mask2former {

class Backbone : public torch::nn::Module {
 public:
  //   images   [B, 3, H, W]  floating point, normalised
  //   returns  one map per level of pyramid(), fine to coarse:
  //            [B, channels, H / stride, W / stride], sizes rounded up
  //
  // The maps may be in channels-last order.
  //
  // Throws c10::Error on any other shape or on integers.
  virtual FeaturePyramid forward(const torch::Tensor& images) = 0;

  // What forward() returns: channels and strides.
  virtual const FeaturePyramidSpec& pyramid() const = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_BACKBONE_BACKBONE_H_
