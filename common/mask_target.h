#ifndef MASK2FORMER_COMMON_MASK_TARGET_H_
#define MASK2FORMER_COMMON_MASK_TARGET_H_

#include <ATen/core/Tensor.h>

namespace mask2former {

// The N target segments of one image. N may be 0.
struct MaskTarget {
  at::Tensor labels;  // [N] int64, 0 .. K - 1.
  at::Tensor masks;   // [N, H, W] bool, in pixels of the input image.
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_MASK_TARGET_H_
