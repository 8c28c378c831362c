#ifndef MASK2FORMER_PIXEL_DECODER_OPS_BENCHMARK_PER_CHANNEL_KERNEL_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_BENCHMARK_PER_CHANNEL_KERNEL_H_

// What ms_deform_attn_kernel.h is timed against: the method of the kernels that
// came with Deformable DETR in 2020 and that most projects still ship, in words
// of our own. Forward, a thread computes one channel and repeats the arithmetic
// of every sample for it. Backward, a block is one (image, query, head) with a
// thread for each channel; what channels have in common is summed up by its
// first thread. For comparison only; sizes are not checked.
//
// Arguments as in ms_deform_attn_kernel.h. level_shapes is on the device.

#include <cuda_runtime_api.h>

#include <cstdint>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_sizes.h"

namespace mask2former::ops {

cudaError_t LaunchPerChannel(const MsDeformAttnSizes& sizes,
                             const int64_t* level_shapes, const float* value,
                             const float* locations, const float* weights,
                             float* output, cudaStream_t stream);

// Adds to grad_value, which begins as zeros. D is at most 1024.
cudaError_t LaunchPerChannelBackward(const MsDeformAttnSizes& sizes,
                                     const int64_t* level_shapes,
                                     const float* grad_output,
                                     const float* value, const float* locations,
                                     const float* weights, float* grad_value,
                                     float* grad_locations, float* grad_weights,
                                     cudaStream_t stream);

// What comes before it: locations from reference points [B, Q, L, 2] and
// offsets, a thread a number; weights from logits, a thread a (query, head).
cudaError_t LaunchLocations(const MsDeformAttnSizes& sizes,
                            const int64_t* level_shapes,
                            const float* reference_points, const float* offsets,
                            float* locations, cudaStream_t stream);
cudaError_t LaunchSoftmax(const MsDeformAttnSizes& sizes, const float* logits,
                          float* weights, cudaStream_t stream);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_BENCHMARK_PER_CHANNEL_KERNEL_H_
