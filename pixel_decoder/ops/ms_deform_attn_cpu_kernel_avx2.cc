#if defined(__x86_64__)

#define M2F_VECTOR_NAMESPACE cpu_avx2
#define M2F_VECTOR_BYTES 32
#define M2F_VECTOR_TARGET __attribute__((target("avx2,fma")))

#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel_body.h"

#endif  // defined(__x86_64__)
