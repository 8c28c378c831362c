#ifndef MASK2FORMER_DATA_MASK_TARGETS_H_
#define MASK2FORMER_DATA_MASK_TARGETS_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "mask2former/common/mask_target.h"

namespace mask2former {

// The semantic task's targets: a mask for each class present in a label image,
// classes ascending.
//
//   label    [H, W] CV_8UC1 train ids 0 .. num_classes - 1, 255 ignored
//   returns  labels [N] int64, masks [N, H, W] bool
//
// Ignored pixels belong to no mask. If nothing else is there, N = 0 and masks
// is [0, H, W].
//
// Throws c10::Error on another type or a train id outside.
//
// Source: Cheng et al., "Per-Pixel Classification is Not All You Need for
// Semantic Segmentation", NeurIPS 2021, section 3.
// Differs: the published mapper makes the empty masks float; here they are bool
// like all others.
MaskTarget MakeMaskTarget(const cv::Mat& label, int64_t num_classes);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_MASK_TARGETS_H_
