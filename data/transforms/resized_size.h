#ifndef MASK2FORMER_DATA_TRANSFORMS_RESIZED_SIZE_H_
#define MASK2FORMER_DATA_TRANSFORMS_RESIZED_SIZE_H_

#include <cstdint>

namespace mask2former {

struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
};

inline bool operator==(const ImageSize& a, const ImageSize& b) {
  return a.height == b.height && a.width == b.width;
}

// The size whose shorter edge is `shorter` pixels, unless the longer one would
// exceed `longer_at_most`: then that edge has this length. The aspect ratio is
// kept up to rounding to the nearest pixel.
ImageSize ResizedSize(const ImageSize& size, int64_t shorter,
                      int64_t longer_at_most);

}  // namespace mask2former

#endif  // MASK2FORMER_DATA_TRANSFORMS_RESIZED_SIZE_H_
