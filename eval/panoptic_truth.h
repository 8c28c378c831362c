#ifndef MASK2FORMER_EVAL_PANOPTIC_TRUTH_H_
#define MASK2FORMER_EVAL_PANOPTIC_TRUTH_H_

#include <opencv2/core/mat.hpp>

#include "absl/status/statusor.h"
#include "mask2former/eval/panoptic_metrics.h"

namespace mask2former {

// The true segments of a picture from its instanceIds image, as the official
// createPanopticImgs writes them: a segment per value of an evaluated class,
// whose id is the value; groups of things (values below 1000) are crowds; the
// rest is 0.
//
//   instances  [H, W]  CV_16UC1
//
// Returns InvalidArgument for another type, and for values without class.
absl::StatusOr<PanopticImage> PanopticTruth(const cv::Mat& instances);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PANOPTIC_TRUTH_H_
