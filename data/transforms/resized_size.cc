#include "mask2former/data/transforms/resized_size.h"

#include <algorithm>

namespace mask2former {

ImageSize ResizedSize(const ImageSize& size, int64_t shorter,
                      int64_t longer_at_most) {
  const auto h = static_cast<double>(size.height);
  const auto w = static_cast<double>(size.width);
  const double scale = static_cast<double>(shorter) / std::min(h, w);
  // The shorter edge is exact; only the other one is a product.
  double new_h = h < w ? static_cast<double>(shorter) : scale * h;
  double new_w = h < w ? scale * w : static_cast<double>(shorter);
  const double longer = std::max(new_h, new_w);
  if (longer > static_cast<double>(longer_at_most)) {
    const double shrink = static_cast<double>(longer_at_most) / longer;
    new_h *= shrink;
    new_w *= shrink;
  }
  return {static_cast<int64_t>(new_h + 0.5), static_cast<int64_t>(new_w + 0.5)};
}

}  // namespace mask2former
