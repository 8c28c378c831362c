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

// Whether window_attention_kernel.h takes these sizes: heads of 32 channels, as
// every Swin has them, windows whose keys and values fit into shared memory,
// and numbers of windows, rows and columns for 32-bit arithmetic.
inline bool CudaKernelTakes(const WindowAttentionSizes& sizes) {
  constexpr int64_t kMaxSide = int64_t{1} << 30;
  constexpr int64_t kMaxHeads = 65535;  // blockIdx.y
  return sizes.head_dim == 32 && sizes.window <= 12 && sizes.heads >= 1 &&
         sizes.heads <= kMaxHeads && sizes.height <= kMaxSide &&
         sizes.width <= kMaxSide && sizes.windows() <= INT32_MAX;
}

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_SIZES_H_
