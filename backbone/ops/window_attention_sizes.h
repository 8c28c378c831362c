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

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_SIZES_H_
