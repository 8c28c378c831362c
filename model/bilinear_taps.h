#ifndef MASK2FORMER_MODEL_BILINEAR_TAPS_H_
#define MASK2FORMER_MODEL_BILINEAR_TAPS_H_

#include <cstdint>
#include <vector>

namespace mask2former {

// Where bilinear interpolation to one pixel reads: (1 - weight) * map[first] +
// weight * map[second].
struct BilinearTap {
  int32_t first;
  int32_t second;
  float weight;
};

// Of each pixel along an axis that is resized from `from` to `to` pixels with
// half-pixel centres (align_corners false); the outermost pixels are repeated.
std::vector<BilinearTap> MakeBilinearTaps(int64_t from, int64_t to);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_BILINEAR_TAPS_H_
