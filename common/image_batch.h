#ifndef MASK2FORMER_COMMON_IMAGE_BATCH_H_
#define MASK2FORMER_COMMON_IMAGE_BATCH_H_

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "mask2former/common/mask_target.h"

namespace mask2former {

// Images as data/ hands them over, before normalisation and padding. All
// vectors have one entry per image.
struct ImageBatch {
  std::vector<at::Tensor> images;   // [3, H_i, W_i] uint8, RGB, 0 .. 255.
  std::vector<MaskTarget> targets;  // Masks are [N_i, H_i, W_i].
  std::vector<std::string> names;   // For messages, e.g. "ulm_000001_000019".
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_IMAGE_BATCH_H_
