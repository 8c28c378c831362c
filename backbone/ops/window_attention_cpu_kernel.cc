#include "mask2former/backbone/ops/window_attention_cpu_kernel.h"

#include <algorithm>
#include <limits>

namespace mask2former::ops {
namespace {

// Lanes of the widest vector.
constexpr int64_t kWidest = 16;

}  // namespace

bool KernelTakes(const WindowAttentionSizes& sizes) {
  // Rows are worked off six at a time, channels two vectors at a time.
  return sizes.positions() >= 6 && sizes.head_dim % (2 * kWidest) == 0;
}

int64_t PaddedPositions(const WindowAttentionSizes& sizes) {
  return (sizes.positions() + kWidest - 1) / kWidest * kWidest;
}

void PadPositionBias(const WindowAttentionSizes& sizes, const float* bias,
                     float* padded) {
  const int64_t positions = sizes.positions();
  const int64_t stride = PaddedPositions(sizes);
  for (int64_t row = 0; row < sizes.heads * positions; ++row) {
    float* const out = padded + row * stride;
    std::copy_n(bias + row * positions, positions, out);
    std::fill(out + positions, out + stride,
              -std::numeric_limits<float>::infinity());
  }
}

}  // namespace mask2former::ops
