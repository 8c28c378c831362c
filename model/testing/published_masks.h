#ifndef MASK2FORMER_MODEL_TESTING_PUBLISHED_MASKS_H_
#define MASK2FORMER_MODEL_TESTING_PUBLISHED_MASKS_H_

#include <ATen/core/Tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include "mask2former/common/image_size.h"

namespace mask2former {

// Mask logits of all queries for an image without padding, as the official code
// and Hugging Face's make them: all at once at the size of the image, then all
// at that of the output. The latter is left out where the sizes are equal,
// though the official code does it even then.
//
//   mask_logits  [1, Q, h, w]
//   returns      [Q, output.height, output.width]
inline at::Tensor PublishedMasks(const at::Tensor& mask_logits,
                                 const ImageSize& image,
                                 const ImageSize& output) {
  at::Tensor masks =
      at::upsample_bilinear2d(mask_logits, {image.height, image.width},
                              /*align_corners=*/false);
  if (!(image == output)) {
    masks = at::upsample_bilinear2d(masks, {output.height, output.width},
                                    /*align_corners=*/false);
  }
  return masks[0];
}

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_TESTING_PUBLISHED_MASKS_H_
