#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_REFERENCE_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_REFERENCE_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace mask2former::ops {

// The meaning of WindowAttention(), position by position and in double.
at::Tensor WindowAttentionReference(const at::Tensor& qkv,
                                    const at::Tensor& padding,
                                    const at::Tensor& position_bias,
                                    int64_t window, int64_t shift);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_REFERENCE_H_
