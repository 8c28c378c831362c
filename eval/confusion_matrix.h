#ifndef MASK2FORMER_EVAL_CONFUSION_MATRIX_H_
#define MASK2FORMER_EVAL_CONFUSION_MATRIX_H_

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "absl/status/status.h"

namespace mask2former {

// Counts pixels by (label id of the ground truth, predicted label id), ids
// 0..33, over any number of images.
//
// Counts are 64-bit integers, so the result does not depend on how images were
// spread over threads or machines before Merge().
class ConfusionMatrix {
 public:
  static constexpr int kIds = 34;

  // Counts every pixel, void ground truth included.
  //
  //   ground_truth  [H, W]  CV_8UC1, label ids 0..33
  //   prediction    [H, W]  CV_8UC1, label ids 0..33; not train ids
  //
  // Returns InvalidArgument, and counts nothing, if types or sizes are
  // different or an id is above 33; the message has the value, how many pixels
  // hold it, and the first of them.
  absl::Status Add(const cv::Mat& ground_truth, const cv::Mat& prediction);

  void Merge(const ConfusionMatrix& other);

  int64_t count(int ground_truth_id, int predicted_id) const {
    return counts_[ground_truth_id * kIds + predicted_id];
  }
  int64_t GroundTruthCount(int ground_truth_id) const;  // Row sum.
  int64_t PredictedCount(int predicted_id) const;       // Column sum.
  int64_t Total() const;

  // Row by row, the rows being ground truth.
  const std::array<int64_t, kIds * kIds>& counts() const { return counts_; }
  std::array<int64_t, kIds * kIds>& mutable_counts() { return counts_; }

 private:
  std::array<int64_t, kIds* kIds> counts_ = {};
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_CONFUSION_MATRIX_H_
