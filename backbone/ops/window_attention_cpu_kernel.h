#ifndef MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_CPU_KERNEL_H_
#define MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_CPU_KERNEL_H_

// The CPU side of WindowAttention() in float: raw pointers and sizes, no
// LibTorch, once for every set of vector instructions.

#include <cstdint>

#include "mask2former/backbone/ops/window_attention_sizes.h"

namespace mask2former::ops {

// All pointers are to contiguous memory, shaped as in window_attention.h.
struct WindowAttentionTask {
  WindowAttentionSizes sizes;
  const float* qkv;
  const float* padding;
  const float* position_bias;  // As PadPositionBias() makes it.
  float* output;
};

// Whether the kernels take these sizes.
bool KernelTakes(const WindowAttentionSizes& sizes);

// T, rounded up to what every kernel reads at once.
int64_t PaddedPositions(const WindowAttentionSizes& sizes);

// [M, T, T] -> [M, T, PaddedPositions()], minus infinity behind every row.
void PadPositionBias(const WindowAttentionSizes& sizes, const float* bias,
                     float* padded);

// Computes the windows begin .. end - 1, row-major, of images one after
// another.
using WindowAttentionKernel = void (*)(const WindowAttentionTask& task,
                                       int64_t begin, int64_t end);

namespace window_attention_portable {
void Run(const WindowAttentionTask& task, int64_t begin, int64_t end);
}  // namespace window_attention_portable

// Only on x86-64, and only where the processor has the instructions.
namespace window_attention_avx2 {
void Run(const WindowAttentionTask& task, int64_t begin, int64_t end);
}  // namespace window_attention_avx2

namespace window_attention_avx512 {
void Run(const WindowAttentionTask& task, int64_t begin, int64_t end);
}  // namespace window_attention_avx512

}  // namespace mask2former::ops

#endif  // MASK2FORMER_BACKBONE_OPS_WINDOW_ATTENTION_CPU_KERNEL_H_
