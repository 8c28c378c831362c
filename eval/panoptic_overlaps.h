#ifndef MASK2FORMER_EVAL_PANOPTIC_OVERLAPS_H_
#define MASK2FORMER_EVAL_PANOPTIC_OVERLAPS_H_

#include <cstdint>
#include <opencv2/core/mat.hpp>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"

namespace mask2former {

// Pixels by (true segment, predicted segment), 0 being none.
struct PanopticOverlap {
  int64_t truth;
  int64_t prediction;

  bool operator==(const PanopticOverlap& other) const {
    return truth == other.truth && prediction == other.prediction;
  }
  template <typename H>
  friend H AbslHashValue(H state, const PanopticOverlap& overlap) {
    return H::combine(std::move(state), overlap.truth, overlap.prediction);
  }
};
using PanopticOverlaps = absl::flat_hash_map<PanopticOverlap, int64_t>;

// Counts the pairs of two maps of segment ids, each CV_32SC1, or CV_8UC3 with
// id = R + 256 G + 65536 B.
//
// Returns InvalidArgument for maps of other types or of different size, and for
// negative ids.
absl::StatusOr<PanopticOverlaps> CountPanopticOverlaps(
    const cv::Mat& truth, const cv::Mat& prediction);

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_PANOPTIC_OVERLAPS_H_
