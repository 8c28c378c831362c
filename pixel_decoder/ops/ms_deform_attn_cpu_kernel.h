#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_CPU_KERNEL_H_

// The CPU side of MsDeformAttn() and MsDeformAttnFused(): raw pointers and
// sizes, no LibTorch, once for every set of vector instructions. All pointers
// are to contiguous memory, shaped as in ms_deform_attn.h and
// ms_deform_attn_fused.h; scalar_t is float or double. Nothing is checked.

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

// The form of ms_deform_attn_fused.h.
template <typename scalar_t>
struct MsDeformAttnFusedTask {
  MsDeformAttnSizes sizes;
  const int64_t* level_shapes;
  const scalar_t* value;
  const scalar_t* centres;  // [B or 1, Q, L, P, 2], see FillMsDeformAttnCentres
  int64_t centre_batch;     // B, or 1: all images share them.
  const scalar_t* offsets;
  const scalar_t* logits;
  scalar_t* output;
};

// Between the fused form's gradients and those of the plain one.
template <typename scalar_t>
struct MsDeformAttnFusedGradientTask {
  MsDeformAttnSizes sizes;
  const int64_t* level_shapes;
  const scalar_t* centres;
  int64_t centre_batch;
  const scalar_t* offsets;
  const scalar_t* logits;
  scalar_t* locations;  // [B, Q, M, L, P, 2]
  scalar_t* weights;    // [B, Q, M, L, P]
  scalar_t* grad_offsets;
  scalar_t* grad_logits;
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

  // The same for the fused form.
  void (*fused_forward)(const MsDeformAttnFusedTask<scalar_t>& task,
                        int64_t begin, int64_t end);

  // The fused form's backward direction: fill `locations` and `weights`, run
  // `backward` on them with grad_offsets and grad_logits as grad_locations and
  // grad_weights, then turn these into what they are called, in place. Both
  // work on the (image, query) pairs begin .. end - 1 of the B * Q.
  void (*fill_samples)(const MsDeformAttnFusedGradientTask<scalar_t>& task,
                       int64_t begin, int64_t end);
  void (*finish_gradients)(const MsDeformAttnFusedGradientTask<scalar_t>& task,
                           int64_t begin, int64_t end);

  // Computes the parts begin .. end - 1 of the B * M * L, levels fastest. Parts
  // share no element of any gradient: each owns its head's channels of its
  // level's pixels, and adds to them in the order of queries and points.
  void (*backward)(const MsDeformAttnBackwardTask<scalar_t>& task,
                   int64_t begin, int64_t end);
};

// Fills centres [N, Q, L, P, 2] with reference_points [N, Q, L, 2] in pixels,
// where whole numbers are pixel centres, once for every point.
template <typename scalar_t>
void FillMsDeformAttnCentres(const MsDeformAttnSizes& sizes,
                             const int64_t* level_shapes,
                             const scalar_t* reference_points, int64_t batch,
                             scalar_t* centres);

// What a kernel uses of the processor.
enum class CpuVectors { kPortable, kAvx2, kAvx512 };

// The most that this processor, and the system on it, can do.
CpuVectors BestCpuVectors();

// Null if this build has no such kernel; never for kPortable and
// BestCpuVectors(). Running one that the processor lacks ends in an illegal
// instruction.
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
