#ifndef MASK2FORMER_EVAL_GENERIC_METRICS_H_
#define MASK2FORMER_EVAL_GENERIC_METRICS_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "absl/status/status.h"

namespace mask2former {

// Scores of a semantic segmentation with any classes, fractions 0..1; NaN where
// undefined.
struct GenericScores {
  std::vector<double> iou;       // [K]
  std::vector<double> accuracy;  // [K], share of a class's pixels found.

  double mean_iou;                // mIoU
  double frequency_weighted_iou;  // fwIoU: weights are true pixels.
  double mean_accuracy;           // mACC
  double pixel_accuracy;          // pACC
};

// Accumulates what these need: K x K pixel counts.
//
// Pixels with the ignored value in the ground truth do not count at all, also
// not as false positives. Classes that no pixel of the ground truth has are NaN
// and left out of the means, even if predicted: CityscapesMetrics scores them
// 0, which makes its means lower.
//
// Source: Long, Shelhamer, Darrell, "Fully convolutional networks for semantic
// segmentation", CVPR 2015, section 5.
class GenericMetrics {
 public:
  // `num_classes` K is 1..255 and at most `ignored`, which is above all classes
  // (checked).
  explicit GenericMetrics(int num_classes, int ignored = 255);

  // Adds one image.
  //
  //   ground_truth  [H, W]  CV_8UC1, classes 0 .. K - 1, or the ignored value
  //   prediction    [H, W]  CV_8UC1, classes 0 .. K - 1
  //
  // Returns InvalidArgument, and adds nothing, for other types, sizes, values.
  // Predictions may have any value where the ground truth is ignored.
  absl::Status Add(const cv::Mat& ground_truth, const cv::Mat& prediction);

  // `other` has the same classes (checked).
  void Merge(const GenericMetrics& other);

  GenericScores Compute() const;

  // [K, K], row by row, the rows being ground truth: may be summed over
  // processes and given back by AddCounts().
  const std::vector<int64_t>& counts() const { return counts_; }
  void AddCounts(const std::vector<int64_t>& counts);

 private:
  int num_classes_;
  int ignored_;
  std::vector<int64_t> counts_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_GENERIC_METRICS_H_
