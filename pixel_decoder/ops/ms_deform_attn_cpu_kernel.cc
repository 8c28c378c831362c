#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"

namespace mask2former::ops {

CpuVectors BestCpuVectors() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return __builtin_cpu_supports("avx512f") &&
                   __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl")
               ? CpuVectors::kAvx512
               : CpuVectors::kAvx2;
  }
#endif
  return CpuVectors::kPortable;
}

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

template <typename scalar_t>
void FillMsDeformAttnCentres(const MsDeformAttnSizes& sizes,
                             const int64_t* level_shapes,
                             const scalar_t* reference_points, int64_t batch,
                             scalar_t* centres) {
  for (int64_t i = 0; i < batch * sizes.queries; ++i) {
    for (int64_t l = 0; l < sizes.levels; ++l) {
      const auto height = static_cast<scalar_t>(level_shapes[2 * l]);
      const auto width = static_cast<scalar_t>(level_shapes[2 * l + 1]);
      const scalar_t x = reference_points[0] * width - scalar_t(0.5);
      const scalar_t y = reference_points[1] * height - scalar_t(0.5);
      reference_points += 2;
      for (int64_t p = 0; p < sizes.points; ++p) {
        centres[0] = x;
        centres[1] = y;
        centres += 2;
      }
    }
  }
}

template void FillMsDeformAttnCentres(const MsDeformAttnSizes&, const int64_t*,
                                      const float*, int64_t, float*);
template void FillMsDeformAttnCentres(const MsDeformAttnSizes&, const int64_t*,
                                      const double*, int64_t, double*);
template const MsDeformAttnCpuKernel<float>* GetMsDeformAttnCpuKernel(
    CpuVectors vectors);
template const MsDeformAttnCpuKernel<double>* GetMsDeformAttnCpuKernel(
    CpuVectors vectors);

}  // namespace mask2former::ops
