#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <string>

#include "mask2former/backbone/ops/window_attention_check.h"
#include "mask2former/backbone/ops/window_attention_composed.h"
#include "mask2former/backbone/ops/window_attention_cpu_kernel.h"

namespace mask2former::ops {
namespace {

// Of what LibTorch's own kernels use here; ATEN_CPU_CAPABILITY lowers it.
WindowAttentionKernel BestKernel() {
#if defined(__x86_64__)
  const std::string capability = at::get_cpu_capability();
  if (capability == "AVX512") return window_attention_avx512::Run;
  if (capability == "AVX2") return window_attention_avx2::Run;
#endif
  return window_attention_portable::Run;
}

// Parallel over windows, each of which owns its positions of the result.
at::Tensor WindowAttentionCpu(const at::Tensor& qkv_in,
                              const at::Tensor& padding_in,
                              const at::Tensor& position_bias_in,
                              int64_t window, int64_t shift) {
  const WindowAttentionSizes sizes =
      CheckWindowAttention(qkv_in, padding_in, position_bias_in, window, shift);
  if (!HasCpuKernel(qkv_in.scalar_type(), sizes)) {
    return ComposedWindowAttention(qkv_in, padding_in, position_bias_in, window,
                                   shift);
  }
  const at::Tensor qkv = qkv_in.contiguous();
  const at::Tensor padding = padding_in.contiguous();
  const at::Tensor position_bias = position_bias_in.contiguous();
  const at::Tensor padded_bias = at::empty(
      {sizes.heads, sizes.positions(), PaddedPositions(sizes)}, qkv.options());
  PadPositionBias(sizes, position_bias.const_data_ptr<float>(),
                  padded_bias.mutable_data_ptr<float>());
  const at::Tensor output =
      at::empty({sizes.batch, sizes.height, sizes.width, sizes.channels()},
                qkv.options());
  const WindowAttentionTask task = {
      sizes, qkv.const_data_ptr<float>(), padding.const_data_ptr<float>(),
      padded_bias.const_data_ptr<float>(), output.mutable_data_ptr<float>()};
  static const WindowAttentionKernel kernel = BestKernel();
  at::parallel_for(
      0, sizes.windows(), /*grain_size=*/1,
      [&](int64_t begin, int64_t end) { kernel(task, begin, end); });
  return output;
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CPU, m) {
  m.impl("window_attention", &WindowAttentionCpu);
}

}  // namespace mask2former::ops
