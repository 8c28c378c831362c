#ifndef MASK2FORMER_EVAL_INSTANCE_METRICS_H_
#define MASK2FORMER_EVAL_INSTANCE_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "mask2former/eval/instance_overlaps.h"

namespace mask2former {

inline constexpr int kInstanceClasses = kInstanceLabelIds.size();
inline constexpr int kApThresholds = 10;

// Overlaps that count as a hit when they are exceeded: 0.5, 0.55, ..., 0.95 as
// 0.5 + 0.05 i gives them in double, 0.6000000000000001 among them.
std::array<double, kApThresholds> ApThresholds();

// Average precision of the instance-level benchmark, fractions 0..1; classes
// in the order of kInstanceLabelIds. NaN for classes without any instance of
// 100 pixels in the ground truth.
struct InstanceScores {
  // [class][threshold]
  std::array<std::array<double, kApThresholds>, kInstanceClasses> ap;

  std::array<double, kInstanceClasses> class_ap;    // Mean over thresholds.
  std::array<double, kInstanceClasses> class_ap50;  // At 0.5.

  // Means over what is not NaN, NaN if nothing is.
  double mean_ap;    // "AP" of papers.
  double mean_ap50;  // "AP50"
};

// Accumulates what average precision needs, picture by picture.
//
// Memory: the sum runs over all distinct scores, so that an exact result needs
// them all until the end. Kept are sixteen bytes per prediction that is right
// or wrong at some threshold, no picture and none of the others. Equal ones
// (same score, right and wrong at the same thresholds) become one with their
// number whenever a class has more than twice the distinct ones and 1024. So
// it grows with the pictures until scores repeat; 500 of 100 predictions are
// at most 0.8 MB. Vectors have room for up to twice as many, Compute() copies
// one class of eight at a time, and Merge() of an rvalue frees what it took.
//
// For a class and a threshold, instances of 100 pixels or more are wanted. Of
// the predictions whose IoU with one exceeds the threshold, that with the
// highest score is right, the others wrong. Predictions whose IoU exceeds it
// with a small instance or a group, and those of which more than the threshold
// lies on void, groups or small instances of the class, are left out. All
// others are wrong. AP is the sum of P_i (R_{i-1} - R_{i+1}) / 2 over the
// distinct scores, which is neither COCO's nor VOC's.
//
// The result does not depend on the order of pictures nor on how they were
// spread over accumulators before Merge(), to the bit.
//
// Differs: where all predictions of a class are left out and none hits, the AP
// is 0; the official program stops with an error.
//
// Source: the official program; Cordts et al., "The Cityscapes Dataset for
// Semantic Urban Scene Understanding", CVPR 2016, section 5.
class InstanceMetrics {
 public:
  static constexpr int64_t kSmallestInstance = 100;  // Pixels.

  void Add(const InstanceOverlaps& picture);

  // Move what is not needed any more into it.
  void Merge(InstanceMetrics other);

  InstanceScores Compute() const;

  int64_t images() const { return images_; }

  // How many records of kRecordBytes are kept.
  static constexpr int64_t kRecordBytes = 16;
  int64_t records() const;

 private:
  // What predictions are at each threshold: bit i of `right` or of `wrong`, or
  // of neither.
  struct Outcome {
    double score;
    uint16_t right;
    uint16_t wrong;
    uint32_t count;  // Of predictions that are like this.
  };
  static_assert(sizeof(Outcome) == kRecordBytes);
  struct ClassState {
    // Makes equal outcomes one, if so many have come that this is worth it.
    void FoldIfGrown();

    std::vector<Outcome> outcomes;
    size_t folded = 0;  // How many were left when this was last done.
    std::array<int64_t, kApThresholds> missed = {};  // Wanted, hit by none.
    bool has_truth = false;
  };

  static bool IsBefore(const Outcome& a, const Outcome& b);
  static double AveragePrecision(const std::vector<Outcome>& sorted,
                                 int64_t missed, int threshold);

  std::array<ClassState, kInstanceClasses> classes_;
  int64_t images_ = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_INSTANCE_METRICS_H_
