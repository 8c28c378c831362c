#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_SIZES_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_SIZES_H_

#include <cstdint>

namespace mask2former::ops {

// Shapes of WindowAttention().
struct WindowAttentionSizes {
  int64_t batch, height, width;
  int64_t heads, head_dim;
  int64_t window, shift;

  int64_t channels() const { return heads * head_dim; }
  int64_t positions() const { return window * window; }  // T
  int64_t rows() const { return (height + window - 1) / window; }
  int64_t columns() const { return (width + window - 1) / window; }
  int64_t windows() const { return batch * rows() * columns(); }
};

// The largest window that window_attention_kernel.h takes.
inline constexpr int kMaxCudaWindow = 12;

// Whether window_attention_kernel.h takes these sizes: heads of 32 channels, as
// every Swin has them, windows whose keys and values fit into shared memory,
// and numbers of windows, rows and columns for 32-bit arithmetic. Sizes that no
// map has, as negative ones, are not taken.
inline bool CudaKernelTakes(const WindowAttentionSizes& sizes) {
  constexpr int64_t kMaxSide = int64_t{1} << 30;
  constexpr int64_t kMaxHeads = 65535;  // blockIdx.y
  const auto is_in = [](int64_t size, int64_t least, int64_t most) {
    return least <= size && size <= most;
  };
  // Factors before their products.
  return sizes.head_dim == 32 && is_in(sizes.heads, 1, kMaxHeads) &&
         is_in(sizes.window, 1, kMaxCudaWindow) &&
         is_in(sizes.shift, 0, sizes.window - 1) &&
         is_in(sizes.height, 0, kMaxSide) && is_in(sizes.width, 0, kMaxSide) &&
         is_in(sizes.batch, 0, INT32_MAX) &&
         sizes.rows() * sizes.columns() <= INT32_MAX &&
         sizes.windows() <= INT32_MAX;
}

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_SIZES_H_
