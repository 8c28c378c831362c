#ifndef MASK2FORMER_EVAL_INSTANCE_OVERLAPS_H_
#define MASK2FORMER_EVAL_INSTANCE_OVERLAPS_H_

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mask2former {

// The classes whose instances are scored: person, rider, car, truck, bus,
// train, motorcycle, bicycle.
inline constexpr std::array<int, 8> kInstanceLabelIds = {24, 25, 26, 27,
                                                         28, 31, 32, 33};

// The place of a label id in kInstanceLabelIds, or -1.
int InstanceClassIndex(int label_id);

// One value of an instanceIds image that belongs to a scored class.
struct TrueInstance {
  int value;        // 26003: car 3; 26: a group of cars.
  int class_index;  // In kInstanceLabelIds.
  int64_t pixels;

  bool is_group() const { return value < 1000; }
};

struct InstanceOverlap {
  int truth;  // Index of a TrueInstance of the same class.
  int64_t pixels;
};

struct PredictedInstance {
  int class_index;
  double score;
  int64_t pixels;
  int64_t void_pixels;  // On ground truth that is not evaluated.
  std::vector<InstanceOverlap> overlaps;
};

// What the average precision needs to know of one picture: how many pixels
// instances, predictions and their intersections have. Masks are looked at one
// by one and not kept, so that a hundred of a picture need not be in memory at
// once.
//
// Void are the pixels of the ignored label ids 0..6, 9, 10, 14, 15, 16, 18, 29
// and 30 (caravan, trailer as groups); single caravans and trailers, 29xxx and
// 30xxx, are not, as in the official program.
class InstanceOverlaps {
 public:
  // `instances` [H, W], CV_16UC1, an instanceIds image; may be shared.
  //
  // Returns InvalidArgument for another type, and for values that are no label
  // id 0..33 and no label id times 1000 plus a number: instances without class.
  static absl::StatusOr<InstanceOverlaps> Create(const cv::Mat& instances);

  // Adds a prediction. Masks may overlap. Empty masks and classes that are not
  // scored are left out.
  //
  //   label_id  -1..33
  //   score     finite; only the order of scores matters
  //   mask      [H, W]  CV_8UC1, not 0 inside
  //
  // Returns InvalidArgument, and adds nothing, for all else.
  absl::Status Add(int label_id, double score, const cv::Mat& mask);

  const std::vector<TrueInstance>& truths() const { return truths_; }
  const std::vector<PredictedInstance>& predictions() const {
    return predictions_;
  }

 private:
  InstanceOverlaps() = default;

  cv::Mat instances_;
  std::vector<int> values_;          // All that occur.
  std::vector<int> truth_of_value_;  // Parallel to values_; -1: not scored.
  std::vector<int64_t> counts_;      // By value; zero between calls.
  std::vector<TrueInstance> truths_;
  std::vector<PredictedInstance> predictions_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_INSTANCE_OVERLAPS_H_
