#ifndef MASK2FORMER_MATCHER_HUNGARIAN_MATCHER_H_
#define MASK2FORMER_MATCHER_HUNGARIAN_MATCHER_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "mask2former/matcher/matcher.h"
#include "mask2former/matcher/matcher_config.pb.h"

namespace mask2former {

// The assignment of least total cost, for every image by itself. The cost of a
// query and a target is
//   class_weight * class + mask_weight * cross entropy + dice_weight * dice
// (matching_costs.h), the masks being read at num_points random points that all
// queries and targets of the image share.
//
// Costs are computed in float where the prediction lies; one copy brings those
// of all images to the host, where the assignments are solved.
//
// Source: Cheng et al., CVPR 2022, section 3.3; Carion et al., "End-to-End
// Object Detection with Transformers", ECCV 2020, section 3.1.
class HungarianMatcher final : public Matcher {
 public:
  // Returns InvalidArgument if `config` is out of range.
  static absl::StatusOr<std::unique_ptr<HungarianMatcher>> Create(
      const HungarianMatcherConfig& config);

  absl::StatusOr<std::vector<Assignment>> Match(
      const MaskPrediction& prediction, const std::vector<MaskTarget>& targets,
      PointSource& points) const override;

 private:
  explicit HungarianMatcher(const HungarianMatcherConfig& config);

  const HungarianMatcherConfig config_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_MATCHER_HUNGARIAN_MATCHER_H_
