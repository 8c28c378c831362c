#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"

namespace mask2former::ops {

template <typename scalar_t>
const MsDeformAttnCpuKernel<scalar_t>* GetMsDeformAttnCpuKernel(
    CpuVectors vectors) {
  switch (vectors) {
    case CpuVectors::kPortable: {
      static const auto kernel = cpu_portable::Kernel<scalar_t>();
      return &kernel;
    }
#if defined(__x86_64__)
    case CpuVectors::kAvx2: {
      static const auto kernel = cpu_avx2::Kernel<scalar_t>();
      return &kernel;
    }
    case CpuVectors::kAvx512: {
      static const auto kernel = cpu_avx512::Kernel<scalar_t>();
      return &kernel;
    }
#else
    case CpuVectors::kAvx2:
    case CpuVectors::kAvx512:
      break;
#endif
  }
  return nullptr;
}

template const MsDeformAttnCpuKernel<float>* GetMsDeformAttnCpuKernel(
    CpuVectors vectors);
template const MsDeformAttnCpuKernel<double>* GetMsDeformAttnCpuKernel(
    CpuVectors vectors);

}  // namespace mask2former::ops
