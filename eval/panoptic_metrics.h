#ifndef MASK2FORMER_EVAL_PANOPTIC_METRICS_H_
#define MASK2FORMER_EVAL_PANOPTIC_METRICS_H_

#include <cstdint>
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "mask2former/eval/exact_sum.h"

namespace mask2former {

struct PanopticCategory {
  int id;
  std::string name;
  bool is_thing;
};

// The 19 evaluated classes of Cityscapes by label id, 8 of them things.
std::vector<PanopticCategory> CityscapesPanopticCategories();

// A segment of a picture. Area and crowd are of the ground truth and ignored in
// predictions.
struct PanopticSegment {
  int64_t id;
  int category_id;
  int64_t area = 0;
  bool is_crowd = false;
};

// A picture cut into segments.
struct PanopticImage {
  // [H, W], the segment of each pixel, 0 for none: CV_32SC1, or CV_8UC3 with
  // id = R + 256 G + 65536 B.
  cv::Mat ids;
  std::vector<PanopticSegment> segments;
};

// Panoptic, segmentation and recognition quality, fractions 0..1.
struct PanopticQuality {
  double pq = 0;
  double sq = 0;
  double rq = 0;
};

struct PanopticScores {
  // A group's means over its categories that occur, and how many these are;
  // NaN if none does.
  struct Group {
    PanopticQuality mean;
    int categories = 0;
  };
  struct Category {
    PanopticCategory category;
    PanopticQuality quality;  // 0 if it does not occur.
    int64_t true_positives = 0;
    int64_t false_positives = 0;
    int64_t false_negatives = 0;
  };
  Group all, things, stuff;
  std::vector<Category> categories;  // By id.
};

// Accumulates matches picture by picture: four numbers per category.
//
// A predicted and a true segment of the same category match if
// |both| / |either, less pixels of the prediction without truth| > 0.5. True
// segments without match are false negatives, unless crowds. Predicted ones are
// false positives, unless more than half of them lies on pixels without truth
// or on the crowd of their category. PQ = (sum of IoU) / (TP + FP/2 + FN/2).
//
// The result does not depend on the order of pictures nor on how they were
// spread over accumulators before Merge(), to the bit.
//
// Differs: a group none of whose categories occurs is NaN; the official program
// divides by zero and stops.
//
// Source: Kirillov et al., "Panoptic Segmentation", CVPR 2019, section 4; the
// official program.
class PanopticMetrics {
 public:
  explicit PanopticMetrics(const std::vector<PanopticCategory>& categories =
                               CityscapesPanopticCategories());

  // Adds one picture.
  //
  // Returns InvalidArgument, and adds nothing, for maps of different size or
  // other type, segments twice in a list, with id 0 or of an unknown category,
  // and predicted segments that are only in the map or only in the list.
  absl::Status Add(const PanopticImage& truth, const PanopticImage& prediction);

  void Merge(const PanopticMetrics& other);

  PanopticScores Compute() const;

  int64_t images() const { return images_; }

  // The whole state as integers that may be summed over processes, element by
  // element (an all-reduce), and given to FromSums() with the same categories.
  std::vector<int64_t> ToSums() const;
  // Throws cv::Exception unless `sums` have the size that ToSums() gives.
  static PanopticMetrics FromSums(
      const std::vector<PanopticCategory>& categories,
      absl::Span<const int64_t> sums);

 private:
  struct State {
    PanopticCategory category;
    int64_t true_positives = 0;
    int64_t false_positives = 0;
    int64_t false_negatives = 0;
    ExactSum iou;
  };

  absl::Status CheckSegments(const std::vector<PanopticSegment>& segments,
                             const char* whose) const;

  std::map<int, State> states_;  // By category id.
  int64_t images_ = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PANOPTIC_METRICS_H_
