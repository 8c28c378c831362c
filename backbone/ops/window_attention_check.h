#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_CHECK_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_CHECK_H_

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include <cstdint>

#include "mask2former/backbone/ops/window_attention_sizes.h"

namespace mask2former::ops {

// The sizes by name, for WindowAttention(). Every device's function begins with
// this call. Throws c10::Error if shapes, dtypes or devices do not fit.
WindowAttentionSizes CheckWindowAttention(const at::Tensor& qkv,
                                          const at::Tensor& padding,
                                          const at::Tensor& position_bias,
                                          int64_t window, int64_t shift);

// The same for WindowAttentionBackward().
WindowAttentionSizes CheckWindowAttentionBackward(
    const at::Tensor& grad_output, const at::Tensor& qkv,
    const at::Tensor& padding, const at::Tensor& position_bias, int64_t window,
    int64_t shift);

// Whether window_attention_cpu_kernel.h can do it; the CPU's other way is
// ComposedWindowAttention().
bool HasCpuKernel(at::ScalarType type, const WindowAttentionSizes& sizes);

// Whether window_attention_kernel.h can, in a build with CUDA; the other ways
// are SdpaWindowAttention() and ComposedWindowAttentionBackward().
bool HasCudaKernel(at::ScalarType type, const WindowAttentionSizes& sizes);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_CHECK_H_
