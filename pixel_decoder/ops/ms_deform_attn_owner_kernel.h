#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_OWNER_KERNEL_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_OWNER_KERNEL_H_

// The deterministic gradient of the values. Include only in sources of kernels.

#include "mask2former/pixel_decoder/ops/ms_deform_attn_samples.h"

namespace mask2former::ops {

// Overwrites grad_value [B, S, M, D]: every pixel adds what it gets in the
// order of queries and points. Arguments as in ms_deform_attn_kernel.h; B M S D
// is not 0.
template <typename value_t, typename Samples>
cudaError_t LaunchOwnerKernel(const CudaSizes& sizes, const CudaLevels& levels,
                              const value_t* grad_output,
                              const Samples& samples, float* grad_value,
                              cudaStream_t stream);

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_OWNER_KERNEL_H_
