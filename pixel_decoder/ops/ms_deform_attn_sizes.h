#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_SIZES_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_SIZES_H_

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

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_SIZES_H_
