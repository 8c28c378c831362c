#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_KERNEL_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_KERNEL_H_

#include <cuda_runtime_api.h>

#include <cstdint>

#include "mask2former/backbone/ops/window_attention_sizes.h"
#include "mask2former/common/cuda/half.h"

namespace mask2former::ops {

// The CUDA side of WindowAttention() and its gradient: raw pointers, no
// LibTorch. T is float, Float16 or BFloat16; all arithmetic is in float. Both
// functions queue one kernel on `stream` and return the launch's error, which
// says nothing about the run, or cudaErrorInvalidValue where CudaKernelTakes()
// is false. Both are deterministic.
//
// Pointers are to contiguous device memory, aligned to 16 bytes, shaped as in
// window_attention.h. Bias "by key" is [M, T, T] with keys before queries: the
// transpose of position_bias.

template <typename T>
struct WindowAttentionInput {
  const T* qkv;          // [B, H, W, 3 C]
  const T* padding;      // [3 C]
  const T* bias_by_key;  // [M, T, T]
};

// Writes output [B, H, W, C].
template <typename T>
cudaError_t LaunchWindowAttention(const WindowAttentionSizes& sizes,
                                  const WindowAttentionInput<T>& input,
                                  T* output, cudaStream_t stream);

template <typename T>
struct WindowAttentionGradients {
  T* qkv;  // [B, H, W, 3 C]
  // Sums that come in parts, to be added up: as many as blocks share a head's
  // windows, 1 to windows(). Without windows there are none, and nothing is
  // written.
  int64_t parts;
  float* padding;      // [parts, 3 C]
  float* bias_by_key;  // [parts, M, T, T]
};

// As many parts as fill any GPU, for sizes that CudaKernelTakes().
int64_t WindowAttentionGradientParts(const WindowAttentionSizes& sizes);

// Writes the gradients, given that of the output, [B, H, W, C]. `bias` is
// position_bias as it is. Keeps nothing of the forward pass: scores are
// computed once more.
template <typename T>
cudaError_t LaunchWindowAttentionBackward(
    const WindowAttentionSizes& sizes, const T* grad_output,
    const WindowAttentionInput<T>& input, const T* bias,
    const WindowAttentionGradients<T>& gradients, cudaStream_t stream);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_KERNEL_H_
