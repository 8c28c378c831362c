#if defined(__x86_64__)

#define M2F_VECTOR_NAMESPACE window_attention_avx2
#define M2F_VECTOR_BYTES 32
#define M2F_VECTOR_TARGET __attribute__((target("avx2,fma")))

#include "mask2former/backbone/ops/window_attention_cpu_kernel_body.h"

#endif  // defined(__x86_64__)
