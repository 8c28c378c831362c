#ifndef MASK2FORMER_COMMON_IMAGE_SIZE_H_
#define MASK2FORMER_COMMON_IMAGE_SIZE_H_

#include <cstdint>

namespace mask2former {

// In pixels.
struct ImageSize {
  int64_t height = 0;
  int64_t width = 0;
};

inline bool operator==(const ImageSize& a, const ImageSize& b) {
  return a.height == b.height && a.width == b.width;
}

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_IMAGE_SIZE_H_
