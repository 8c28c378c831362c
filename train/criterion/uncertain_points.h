#ifndef MASK2FORMER_TRAIN_CRITERION_UNCERTAIN_POINTS_H_
#define MASK2FORMER_TRAIN_CRITERION_UNCERTAIN_POINTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "mask2former/common/random_points.h"

namespace mask2former {

struct UncertainPointsOptions {
  int64_t num_points = 12544;  // T
  double oversample_ratio = 3;
  double importance_sample_ratio = 0.75;
};

// Chooses points for every mask, most of them where the mask is uncertain.
//
//   logits   [M, h, w]  predicted masks
//   rows     [n]        int64; those of them that are asked for
//   points   asked for [n, floor(oversample_ratio T), 2] and, if any are left
//            to draw, for the uniform rest
//   returns  [n, T, 2]  first the floor(importance_sample_ratio T) points of
//            the first draw whose logits are nearest to 0, in no particular
//            order, then the second draw; no gradient
//
// Source: Kirillov et al., "PointRend", CVPR 2020, section 3.1 (training).
at::Tensor SampleUncertainPoints(const at::Tensor& logits,
                                 const at::Tensor& rows,
                                 const UncertainPointsOptions& options,
                                 PointSource& points);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_CRITERION_UNCERTAIN_POINTS_H_
