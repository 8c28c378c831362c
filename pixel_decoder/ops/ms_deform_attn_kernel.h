#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_KERNEL_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_KERNEL_H_

// Multi-scale deformable attention on a GPU without LibTorch: sizes, pointers
// and a stream, as the authors of inference engines and of TensorRT plugins
// have them. What it computes stands in ms_deform_attn.h and
// ms_deform_attn_fused.h, the letters in ms_deform_attn_sizes.h.
//
// value_t, of values and outputs, is float, Float16 or BFloat16 (half.h:
// pointers to __half, __nv_bfloat16 or c10's types may be cast to them). Sums,
// coordinates and weights are float whatever value_t is.
//
// Pointers are to contiguous device memory and not null unless they say so.
// `level_shapes` is on the host: {H_0, W_0, H_1, ..}, 2 L numbers. Pairs of
// coordinates must be aligned as pairs (8 bytes for float). Heads of D = 32 are
// fastest, others of whole 16-byte vectors follow, if value and outputs are
// aligned to 16 bytes; any other D works too.
//
// Each function queues its kernels on `stream`, allocates nothing, waits for
// nothing, can be captured in a graph, and overwrites its outputs entirely.
// Empty problems are fine.
//
// Returns what the launch returned; cudaErrorInvalidValue if a size is negative
// or past its limit (MsDeformAttnCudaLimits() in ms_deform_attn_sizes.h), if
// the levels do not have S positions, if reference_batch is neither 1 nor B, or
// if a pointer is not aligned. L is at most kMaxCudaLevels; B M, M D, Q and L P
// stay below 2^27 and S below 2^30; products of these may be larger than 2^31.

#include <cuda_runtime_api.h>

#include <cstdint>

#include "mask2former/common/cuda/half.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_sizes.h"

namespace mask2former::ops {

// Where every query reads, and how much each reading weighs: given.
//
//   locations  [B, Q, M, L, P, 2]  (x, y), 0 .. 1 across a level
//   weights    [B, Q, M, L, P]
struct PlainSamples {
  const float* locations;
  const float* weights;
};

// The same as a network's last linear layers leave it. The location is the
// reference point plus the offset, which is in pixels of the level; the weights
// are the softmax of a query's and head's L P logits.
//
//   reference_points  [B or 1, Q, L, 2]  (x, y), 0 .. 1
//   offsets           [B, Q, M, L, P, 2]
//   logits            [B, Q, M, L, P]
//
// raw_t is float or value_t.
template <typename raw_t>
struct FusedSamples {
  const float* reference_points;
  int64_t reference_batch;  // B, or 1: all images share them.
  const raw_t* offsets;
  const raw_t* logits;
};

struct PlainGradients {
  float* locations;
  float* weights;
};

template <typename raw_t>
struct FusedGradients {
  raw_t* offsets;
  raw_t* logits;
};

//   value    [B, S, M, D]
//   output   [B, Q, M, D]
template <typename value_t>
cudaError_t LaunchMsDeformAttn(const MsDeformAttnSizes& sizes,
                               const int64_t* level_shapes,
                               const value_t* value,
                               const PlainSamples& samples, value_t* output,
                               cudaStream_t stream);

template <typename value_t, typename raw_t>
cudaError_t LaunchMsDeformAttnFused(const MsDeformAttnSizes& sizes,
                                    const int64_t* level_shapes,
                                    const value_t* value,
                                    const FusedSamples<raw_t>& samples,
                                    value_t* output, cudaStream_t stream);

// Gradients of the above. grad_value is float whatever value_t is, for it is
// summed up in place. The sum's order, and so its last bits, change from run to
// run, unless `deterministic`: then every pixel has one owner that adds in the
// order of queries and points, which takes longer: all samples of a level are
// looked at for every 128 of its pixels.
//
//   grad_output  [B, Q, M, D]
//   grad_value   [B, S, M, D]
template <typename value_t>
cudaError_t LaunchMsDeformAttnBackward(
    const MsDeformAttnSizes& sizes, const int64_t* level_shapes,
    const value_t* grad_output, const value_t* value,
    const PlainSamples& samples, float* grad_value,
    const PlainGradients& gradients, bool deterministic, cudaStream_t stream);

template <typename value_t, typename raw_t>
cudaError_t LaunchMsDeformAttnFusedBackward(
    const MsDeformAttnSizes& sizes, const int64_t* level_shapes,
    const value_t* grad_output, const value_t* value,
    const FusedSamples<raw_t>& samples, float* grad_value,
    const FusedGradients<raw_t>& gradients, bool deterministic,
    cudaStream_t stream);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_KERNEL_H_
