#ifndef MASK2FORMER_EVAL_TRAIN_IDS_H_
#define MASK2FORMER_EVAL_TRAIN_IDS_H_

#include <opencv2/core/mat.hpp>

#include "absl/status/statusor.h"

namespace mask2former {

// The label ids of a map of train ids, both [H, W] CV_8UC1. 255, "no class",
// becomes 0, "unlabeled", which is wrong wherever it is predicted.
//
// Returns InvalidArgument, with the first pixel, for values other than 0..18
// and 255, and for another type.
absl::StatusOr<cv::Mat> TrainIdsToLabelIds(const cv::Mat& train_ids);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_TRAIN_IDS_H_
