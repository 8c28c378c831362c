#ifndef MASK2FORMER_DATA_TRANSFORMS_RESIZED_SIZE_H_
#define MASK2FORMER_DATA_TRANSFORMS_RESIZED_SIZE_H_

#include <cstdint>

#include "mask2former/common/image_size.h"

namespace mask2former {

// The size whose shorter edge is `shorter` pixels, unless the longer one would
// exceed `longer_at_most`: then that edge has this length. The aspect ratio is
// kept up to rounding to the nearest pixel.
ImageSize ResizedSize(const ImageSize& size, int64_t shorter,
                      int64_t longer_at_most);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRANSFORMS_RESIZED_SIZE_H_
