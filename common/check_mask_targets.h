#ifndef MASK2FORMER_COMMON_CHECK_MASK_TARGETS_H_
#define MASK2FORMER_COMMON_CHECK_MASK_TARGETS_H_

#include <vector>

#include "mask2former/common/mask_prediction.h"
#include "mask2former/common/mask_target.h"

namespace mask2former {

// Throws c10::Error unless `targets` can be compared with `prediction`: one per
// image; as many masks as labels; labels in 0 .. K - 1 (looked at in host
// memory only, a device would have to be waited for); and masks that cover what
// the predicted ones cover, so that a point in 0..1 means the same place in
// both. That is told by height : width; masks that were not padded with their
// images do not have it.
void CheckMaskTargets(const MaskPrediction& prediction,
                      const std::vector<MaskTarget>& targets);

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_CHECK_MASK_TARGETS_H_
