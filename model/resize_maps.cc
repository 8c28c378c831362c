#include "mask2former/model/resize_maps.h"

#include <ATen/ops/upsample_bilinear2d.h>

namespace mask2former {

at::Tensor ResizeMaps(const at::Tensor& maps, const ImageSize& size) {
  if (maps.size(1) == size.height && maps.size(2) == size.width) return maps;
  return at::upsample_bilinear2d(maps.unsqueeze(0), {size.height, size.width},
                                 /*align_corners=*/false)
      .squeeze(0);
}

at::Tensor CropMaps(const at::Tensor& maps, const ImageSize& size) {
  return maps.narrow(1, 0, size.height).narrow(2, 0, size.width);
}

at::Tensor ResizeToOutput(const at::Tensor& maps, const ImageSize& padded,
                          const ImageSize& image, const ImageSize& output) {
  return ResizeMaps(CropMaps(ResizeMaps(maps, padded), image), output);
}

}  // namespace mask2former
