#ifndef MASK2FORMER_MODEL_RESIZE_MAPS_H_
#define MASK2FORMER_MODEL_RESIZE_MAPS_H_

#include <ATen/core/Tensor.h>

#include "mask2former/common/image_size.h"

namespace mask2former {

// Bilinear, pixel centres kept (align_corners false).
//
//   maps     [N, H, W], floating point
//   returns  [N, size.height, size.width]; `maps` itself if that is its size
at::Tensor ResizeMaps(const at::Tensor& maps, const ImageSize& size);

// The upper left part: a view.
at::Tensor CropMaps(const at::Tensor& maps, const ImageSize& size);

// What the network says of a padded image, brought to the picture's size: to
// `padded`, cropped to `image`, to `output`.
//
//   maps     [N, h, w], of a batch padded to `padded`
//   image    the image's size before padding
//   output   the size wanted, usually that of the original file
//   returns  [N, output.height, output.width]
at::Tensor ResizeToOutput(const at::Tensor& maps, const ImageSize& padded,
                          const ImageSize& image, const ImageSize& output);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_RESIZE_MAPS_H_
