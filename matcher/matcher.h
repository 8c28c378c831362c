#ifndef MASK2FORMER_MATCHER_MATCHER_H_
#define MASK2FORMER_MATCHER_MATCHER_H_

#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/common/assignment.h"
#include "mask2former/common/mask_prediction.h"
#include "mask2former/common/mask_target.h"
#include "mask2former/common/random_points.h"

namespace mask2former {

// A matcher decides which query answers for which target mask.
class Matcher {
 public:
  virtual ~Matcher() = default;

  // One assignment per image, of min(Q, N) pairs each; no gradient.
  //
  //   prediction  class_logits [B, Q, K + 1], mask_logits [B, Q, h, w]
  //   targets     B of them, masks [N, H, W] of any size; N may be 0
  //   points      asked once per image, in order, for [1, T, 2]
  //
  // Returns InvalidArgument if a cost is not a finite number, as happens when
  // training diverges: the message names image, query, target and cost. Throws
  // c10::Error on shapes that do not fit each other.
  virtual absl::StatusOr<std::vector<Assignment>> Match(
      const MaskPrediction& prediction, const std::vector<MaskTarget>& targets,
      PointSource& points) const = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_MATCHER_MATCHER_H_
