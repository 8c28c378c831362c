#ifndef MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_BEST_KERNEL_H_
#define MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_BEST_KERNEL_H_

// Which CPU kernel the ops run, and on how many threads.

#include <ATen/Parallel.h>
#include <ATen/Version.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"

namespace mask2former::ops {

// What LibTorch's own kernels use here; ATEN_CPU_CAPABILITY lowers it.
inline CpuVectors BestVectors() {
  const std::string capability = at::get_cpu_capability();
  if (capability == "AVX512") return CpuVectors::kAvx512;
  if (capability == "AVX2") return CpuVectors::kAvx2;
  return CpuVectors::kPortable;
}

template <typename scalar_t>
const MsDeformAttnCpuKernel<scalar_t>& BestKernel() {
  static const auto* const kernel = [] {
    const auto* best = GetMsDeformAttnCpuKernel<scalar_t>(BestVectors());
    return best != nullptr
               ? best
               : GetMsDeformAttnCpuKernel<scalar_t>(CpuVectors::kPortable);
  }();
  return *kernel;
}

// Runs parts(begin, end) over 0 .. count - 1 on several threads, if there are
// enough samples to be worth waking them.
template <typename Parts>
void RunParts(int64_t count, int64_t samples_per_part, const Parts& parts) {
  constexpr int64_t kGrainSamples = 4096;
  at::parallel_for(0, count,
                   kGrainSamples / std::max<int64_t>(samples_per_part, 1) + 1,
                   parts);
}

}  // namespace mask2former::ops

#endif  // MASK2FORMER_PIXEL_DECODER_OPS_MS_DEFORM_ATTN_BEST_KERNEL_H_
