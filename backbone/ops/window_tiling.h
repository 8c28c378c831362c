#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_TILING_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_TILING_H_

#include <cstdint>

#include "mask2former/backbone/ops/window_attention_sizes.h"
#include "mask2former/common/cuda/host_device.h"

namespace mask2former::ops {

// A window of the rolled map.
template <typename Int>
struct Window {
  Int image, row, column;
};

// Which windows there are, and where their positions lie on the map before it
// was padded and rolled.
//
// Int is int64_t, or, on a GPU, int32_t: the sides of the padded map plus a
// window and the number of windows must fit it. Indices on the map are 64-bit.
template <typename Int>
struct WindowTiling {
  explicit WindowTiling(const WindowAttentionSizes& sizes)
      : height(static_cast<Int>(sizes.height)),
        width(static_cast<Int>(sizes.width)),
        rows(static_cast<Int>(sizes.rows())),
        columns(static_cast<Int>(sizes.columns())),
        window(static_cast<Int>(sizes.window)),
        shift(static_cast<Int>(sizes.shift)) {}

  // Row-major, of images one after another.
  M2F_HOST_DEVICE Window<Int> At(Int index) const {
    const Int row = index / columns;
    return {row / rows, row % rows, index % columns};
  }

  // Of the window's row i and column j among [B, H, W]; -1 in the padding.
  M2F_HOST_DEVICE int64_t Pixel(const Window<Int>& at, Int i, Int j) const {
    const Int y = Unrolled(at.row * window + i, rows * window);
    const Int x = Unrolled(at.column * window + j, columns * window);
    if (y >= height || x >= width) return -1;
    return (int64_t{at.image} * height + y) * width + x;
  }

  // Positions of different parts were not neighbours before the map was rolled.
  // 0 but in the last row and column of windows.
  M2F_HOST_DEVICE int Part(const Window<Int>& at, Int i, Int j) const {
    const bool moved_down = at.row + 1 == rows && i >= window - shift;
    const bool moved_right = at.column + 1 == columns && j >= window - shift;
    return 2 * static_cast<int>(moved_down) + static_cast<int>(moved_right);
  }

  M2F_HOST_DEVICE bool HasParts(const Window<Int>& at) const {
    return shift > 0 && (at.row + 1 == rows || at.column + 1 == columns);
  }

  // If not, all of the window's positions lie on the map. Those that do not are
  // in the last row and column of windows, or, rolled, in those before.
  M2F_HOST_DEVICE bool MayHavePadding(const Window<Int>& at) const {
    return (rows * window != height && at.row + 2 >= rows) ||
           (columns * window != width && at.column + 2 >= columns);
  }

  Int height, width;  // Of the map.
  Int rows, columns;  // Of windows.
  Int window, shift;

 private:
  M2F_HOST_DEVICE Int Unrolled(Int rolled, Int size) const {
    const Int place = rolled + shift;
    return place < size ? place : place - size;
  }
};

// Where the channels of a pixel, or of the padding, lie.
template <typename T>
struct RowsOf {
  T* map;          // [B, H, W, stride]
  T* padding;      // [stride], or nullptr: zeros, and what is written is lost.
  int32_t stride;  // Numbers of a pixel.

  // `pixel` as WindowTiling::Pixel() gives it. nullptr where nothing lies.
  M2F_HOST_DEVICE T* At(int64_t pixel, int32_t channel) const {
    T* const row = pixel < 0 ? padding : map + pixel * stride;
    return row == nullptr ? nullptr : row + channel;
  }
};

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_TILING_H_
