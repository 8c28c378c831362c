#ifndef MASK2FORMER_TRANSFORMER_DECODER_ATTENTION_MASK_H_
#define MASK2FORMER_TRANSFORMER_DECODER_ATTENTION_MASK_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mask2former {

// Which cells of a level lie outside each predicted mask.
//
//   mask_logits    [B, Q, H, W]
//   height, width  of the level
//   returns        [B, Q, height * width] bool: whether the sigmoid of the
//                  logits, resized bilinearly (pixel centres aligned, no
//                  antialiasing), is below 0.5
//
// The sigmoid decides, not the sign: logits so close below 0 that it rounds to
// 0.5 are inside. Records no gradient.
//
// Source: Cheng et al., "Masked-attention Mask Transformer for Universal Image
// Segmentation", CVPR 2022, equation 3.
at::Tensor BlockedCells(const at::Tensor& mask_logits, int64_t height,
                        int64_t width);

// Which cells each query may attend to: those not blocked, and all cells where
// all are blocked, as a softmax over nothing is not a number.
//
//   blocked  [B, Q, S] bool
//   returns  [B, 1, Q, S] bool, the same for every head
at::Tensor AttendableCells(const at::Tensor& blocked);

}  // namespace mask2former

#endif  // MASK2FORMER_TRANSFORMER_DECODER_ATTENTION_MASK_H_
