#ifndef MASK2FORMER_EVAL_CONVERT_PREDICTIONS_H_
#define MASK2FORMER_EVAL_CONVERT_PREDICTIONS_H_

// A network's results as scorers, writers and pictures take them: OpenCV's
// matrices and label ids instead of tensors and the network's classes.

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <vector>

#include "mask2former/eval/network_classes.h"
#include "mask2former/eval/panoptic_metrics.h"
#include "mask2former/eval/visualize_segments.h"
#include "mask2former/model/instance_inference.h"
#include "mask2former/model/panoptic_inference.h"

namespace mask2former {

// CV_32SC1 ids, a copy; categories are label ids.
PanopticImage ToPanopticImage(const PanopticPrediction& prediction,
                              const NetworkClasses& classes);

// For drawing: the same segments, and those of things alone.
SegmentMap ToSegmentMap(const PanopticImage& image);
SegmentMap ToThingMap(const PanopticImage& image);

// [H, W] CV_8UC1, 1 inside.
cv::Mat InstanceMask(const InstancePrediction& instance);

// The instances with a score of at least `min_score` in one map, the ids 1, 2,
// ... in their order; where masks overlap, the higher score.
//
//   instances  highest score first, as InstanceInference() gives them
//   size       of the map
SegmentMap ToSegmentMap(const std::vector<InstancePrediction>& instances,
                        const NetworkClasses& classes, double min_score,
                        const cv::Size& size);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_CONVERT_PREDICTIONS_H_
