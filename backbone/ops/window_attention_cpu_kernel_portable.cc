// 16 bytes: what every x86-64 (SSE2) and ARMv8 (NEON) processor has.
#define M2F_VECTOR_NAMESPACE window_attention_portable
#define M2F_VECTOR_BYTES 16
#define M2F_VECTOR_TARGET

#include "mask2former/backbone/ops/window_attention_cpu_kernel_body.h"
