#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_H_

// The CPU side of MsDeformAttn(): raw pointers and sizes, no LibTorch, once for
// every set of vector instructions. All pointers are to contiguous memory,
// shaped as in ms_deform_attn.h; scalar_t is float or double.

#include <cstdint>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_sizes.h"

namespace mask2former::ops {

template <typename scalar_t>
struct MsDeformAttnForwardTask {
  MsDeformAttnSizes sizes;
  const int64_t* level_shapes;
  const scalar_t* value;
  const scalar_t* locations;
  const scalar_t* weights;
  scalar_t* output;
};

template <typename scalar_t>
struct MsDeformAttnBackwardTask {
  MsDeformAttnSizes sizes;
  const int64_t* level_shapes;
  const scalar_t* grad_output;
  const scalar_t* value;
  const scalar_t* locations;
  const scalar_t* weights;
  scalar_t* grad_value;  // All three are overwritten.
  scalar_t* grad_locations;
  scalar_t* grad_weights;
};

// Into how many parts the queries are split.
inline constexpr int64_t kForwardSplit = 8;

template <typename scalar_t>
struct MsDeformAttnCpuKernel {
  // Computes the parts begin .. end - 1 of the B * M * kForwardSplit. Each is
  // some queries of one head; the queries change fastest, the images slowest.
  void (*forward)(const MsDeformAttnForwardTask<scalar_t>& task, int64_t begin,
                  int64_t end);

  // Computes the parts begin .. end - 1 of the B * M * L, levels fastest. Parts
  // share no element of any gradient: each owns its head's channels of its
  // level's pixels, and adds to them in the order of queries and points.
  void (*backward)(const MsDeformAttnBackwardTask<scalar_t>& task,
                   int64_t begin, int64_t end);
};

// What a kernel uses of the processor.
enum class CpuVectors { kPortable, kAvx2, kAvx512 };

// Null if this build has no such kernel. Running one that the processor lacks
// ends in an illegal instruction.
template <typename scalar_t>
const MsDeformAttnCpuKernel<scalar_t>* GetMsDeformAttnCpuKernel(
    CpuVectors vectors);

// One namespace per ms_deform_attn_cpu_kernel_<set>.cc.
namespace cpu_portable {
template <typename scalar_t>
MsDeformAttnCpuKernel<scalar_t> Kernel();
}  // namespace cpu_portable

namespace cpu_avx2 {
template <typename scalar_t>
MsDeformAttnCpuKernel<scalar_t> Kernel();
}  // namespace cpu_avx2

namespace cpu_avx512 {
template <typename scalar_t>
MsDeformAttnCpuKernel<scalar_t> Kernel();
}  // namespace cpu_avx512

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_H_
