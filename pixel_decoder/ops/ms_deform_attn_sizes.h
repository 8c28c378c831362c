#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_SIZES_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_SIZES_H_

#include <array>
#include <cstdint>

namespace mask2former::ops {

// The letters of ms_deform_attn.h.
struct MsDeformAttnSizes {
  int64_t batch;      // B
  int64_t positions;  // S
  int64_t heads;      // M
  int64_t head_dim;   // D
  int64_t queries;    // Q
  int64_t levels;     // L
  int64_t points;     // P
};

// The most levels that a CUDA kernel has room for.
inline constexpr int kMaxCudaLevels = 32;

// A number that the CUDA kernels must be able to index.
struct MsDeformAttnCudaLimit {
  const char* name;
  int64_t size;
  int64_t limit;  // The size must be at least 0 and below this.
};

// All of them, for these sizes. Factors come before their products, which are
// right (and not overflown) if the factors are within their limits.
inline std::array<MsDeformAttnCudaLimit, 9> MsDeformAttnCudaLimits(
    const MsDeformAttnSizes& sizes) {
  constexpr int64_t kFactor = int64_t{1} << 31;
  constexpr int64_t kProduct = int64_t{1} << 27;
  const auto product = [](int64_t a, int64_t b) {
    return a >= 0 && a < kFactor && b >= 0 && b < kFactor ? a * b : kProduct;
  };
  return {{{"B", sizes.batch, kFactor},
           {"M", sizes.heads, kFactor},
           {"D", sizes.head_dim, kFactor},
           {"Q", sizes.queries, kProduct},
           {"L", sizes.levels, kMaxCudaLevels + 1},
           {"S", sizes.positions, int64_t{1} << 30},
           {"B M", product(sizes.batch, sizes.heads), kProduct},
           {"M D", product(sizes.heads, sizes.head_dim), kProduct},
           {"L P", product(sizes.levels, sizes.points), kProduct}}};
}

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_SIZES_H_
