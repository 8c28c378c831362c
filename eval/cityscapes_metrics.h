#ifndef MASK2FORMER_EVAL_CITYSCAPES_METRICS_H_
#define MASK2FORMER_EVAL_CITYSCAPES_METRICS_H_

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/confusion_matrix.h"
#include "mask2former/eval/instance_hits.h"

namespace mask2former {

// Scores of the pixel-level semantic benchmark, fractions 0..1; NaN where a
// score is undefined (see CityscapesMetrics). The instance-weighted IoU is
// called "nIoU" by the official program's table and "iIoU" elsewhere.
struct CityscapesScores {
  // By label id; NaN for the ids that are not evaluated.
  std::array<double, kCityscapesLabelIds> class_iou;
  std::array<double, kCityscapesLabelIds> class_instance_iou;
  // By category id.
  std::array<double, kCityscapesCategories> category_iou;
  std::array<double, kCityscapesCategories> category_instance_iou;

  // Means over what is not NaN, NaN if nothing is.
  double mean_class_iou;  // The "mIoU" of papers.
  double mean_class_instance_iou;
  double mean_category_iou;
  double mean_category_instance_iou;

  // Share of pixels predicted right, of those with an evaluated ground truth.
  // Not among the official scores.
  double pixel_accuracy;
};

// Accumulates what the scores need, image by image: some kilobytes, however
// many images.
//
// A class has
//
//   IoU  = TP / (TP + FP + FN), in pixels; FN counts all wrong predictions,
//   also
//          of ids that are not evaluated; FP counts only pixels whose ground
//          truth is evaluated
//   nIoU = iTP / (iTP + FP + iFN), where iTP and iFN are weighted by instance
//          (InstanceHits) and FP is the same plain count
//
// Hence: absent from ground truth and prediction, NaN; absent from the ground
// truth but predicted on an evaluated pixel, 0, which lowers the mean; present
// only as groups, nIoU NaN. Categories treat their evaluated ids as one.
//
// The result does not depend on the order of images nor on how they were spread
// over accumulators before Merge(), to the bit.
//
// Source: Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene
// Understanding", CVPR 2016, section 4.1, and the official program.
class CityscapesMetrics {
 public:
  // Adds one image.
  //
  //   ground_truth  [H, W]  CV_8UC1, a labelIds image, 0..33
  //   prediction    [H, W]  CV_8UC1, label ids 0..33; not train ids
  //   instances     [H, W]  CV_16UC1, an instanceIds image; or empty: then all
  //                         nIoU become NaN
  //
  // Returns InvalidArgument, and adds nothing, for other types and values.
  absl::Status Add(const cv::Mat& ground_truth, const cv::Mat& prediction,
                   const cv::Mat& instances);

  void Merge(const CityscapesMetrics& other);

  CityscapesScores Compute() const;

  const ConfusionMatrix& confusion() const { return confusion_; }
  int64_t images() const { return images_; }

  // The whole state as integers that may be summed over processes, element by
  // element (an all-reduce), and given to FromSums().
  std::vector<int64_t> ToSums() const;
  // Throws cv::Exception unless `sums` have the size that ToSums() gives.
  static CityscapesMetrics FromSums(absl::Span<const int64_t> sums);

 private:
  ConfusionMatrix confusion_;
  InstanceHits instance_hits_;
  int64_t images_ = 0;
  int64_t images_without_instances_ = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_CITYSCAPES_METRICS_H_
