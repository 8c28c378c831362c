#ifndef MASK2FORMER_PIXEL_DECODER_OPS_BILINEAR_TAPS_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_BILINEAR_TAPS_H_

// The four pixels around a continuous position, shared by the CPU and the CUDA
// kernels so that both compute the same formula.

#include <cstdint>

#include "mask2former/common/cuda/host_device.h"

namespace mask2former::ops {

// Bits of BilinearTaps::inside, one per pixel. The four are numbered 0 upper
// left, 1 upper right, 2 lower left, 3 lower right.
inline constexpr int32_t kNoTap = 0;
inline constexpr int32_t kAllTaps = 15;

template <typename scalar_t>
struct BilinearTaps {
  int32_t first;   // Row-major index of the upper left pixel; may be outside.
  int32_t inside;  // Bit k: pixel k is in the map. kNoTap: nothing to read.
  scalar_t y, x;   // Of the position, within the pixels: 0 .. 1.
};

// `y` and `x` are in pixels; pixel centres lie at whole numbers. Positions a
// pixel or more outside the map, and NaN, have no taps.
//
// Free of branches, so that a loop of calls becomes vector instructions.
template <typename scalar_t>
M2F_HOST_DEVICE inline BilinearTaps<scalar_t> MakeBilinearTaps(scalar_t y,
                                                               scalar_t x,
                                                               int32_t height,
                                                               int32_t width) {
  const int32_t near = (y > -1) & (y < height) & (x > -1) & (x < width);
  y = near ? y : scalar_t(0);
  x = near ? x : scalar_t(0);
  // The floor. Not std::floor, which compilers do not vectorise.
  int32_t row = static_cast<int32_t>(y);
  int32_t column = static_cast<int32_t>(x);
  row -= static_cast<scalar_t>(row) > y;
  column -= static_cast<scalar_t>(column) > x;
  const int32_t top = row >= 0;
  const int32_t bottom = row + 1 < height;
  const int32_t left = column >= 0;
  const int32_t right = column + 1 < width;
  const int32_t inside = (top & left) | (top & right) << 1 |
                         (bottom & left) << 2 | (bottom & right) << 3;
  return {row * width + column, near ? inside : kNoTap,
          y - static_cast<scalar_t>(row), x - static_cast<scalar_t>(column)};
}

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_BILINEAR_TAPS_H_
