#ifndef MASK2FORMER_EVAL_INSTANCE_HITS_H_
#define MASK2FORMER_EVAL_INSTANCE_HITS_H_

#include <array>
#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "absl/status/status.h"
#include "mask2former/eval/exact_sum.h"

namespace mask2former {

// Pixels of ground-truth instances that were predicted right and wrong, each
// weighted by (average size of the class) / (size of the instance), so that
// small instances count as much as large ones.
struct WeightedHits {
  ExactSum hits;
  ExactSum misses;

  void Add(double weight, int64_t hit_pixels, int64_t missed_pixels);
  void Merge(const WeightedHits& other);
};

// Sums of WeightedHits over images, for the instance-weighted IoU.
class InstanceHits {
 public:
  static constexpr int kFirstId = 24;  // person
  static constexpr int kIds = 10;      // .. 33, bicycle
  static constexpr int kHuman = 6;     // Category ids.
  static constexpr int kVehicle = 7;

  // Adds the instances of one image: the distinct values above 1000 of
  // `instances`, whose label id is value / 1000. Ignored ids (caravan, trailer)
  // are skipped; regions of groups have values below 1000 and do not count.
  //
  //   instances   [H, W]  CV_8UC1 or CV_16UC1, an instanceIds image
  //   prediction  [H, W]  CV_8UC1, label ids
  //
  // A hit of the class is a pixel predicted as this class, a hit of the
  // category one predicted as any id of the category, caravan and trailer
  // included.
  //
  // Returns InvalidArgument, and adds nothing, if types or sizes are different
  // or a value belongs to no class with instances.
  absl::Status Add(const cv::Mat& instances, const cv::Mat& prediction);

  void Merge(const InstanceHits& other);

  // By label id 24..33; nothing is ever added for 29 and 30.
  const WeightedHits& ForClass(int label_id) const {
    return classes_[label_id - kFirstId];
  }
  WeightedHits& ForClass(int label_id) { return classes_[label_id - kFirstId]; }

  // By category id, kHuman or kVehicle.
  const WeightedHits& ForCategory(int category_id) const {
    return categories_[category_id - kHuman];
  }
  WeightedHits& ForCategory(int category_id) {
    return categories_[category_id - kHuman];
  }

 private:
  std::array<WeightedHits, kIds> classes_;
  std::array<WeightedHits, 2> categories_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_INSTANCE_HITS_H_
