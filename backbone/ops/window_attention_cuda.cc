#include <ATen/cuda/CUDAContext.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include <tuple>

#include "mask2former/backbone/ops/window_attention_check.h"
#include "mask2former/backbone/ops/window_attention_composed.h"
#include "mask2former/backbone/ops/window_attention_kernel.h"
#include "mask2former/common/cuda/check_launch.h"
#include "mask2former/common/cuda/tensor_pointers.h"

namespace mask2former::ops {
namespace {

at::Tensor WindowAttentionCuda(const at::Tensor& qkv_in,
                               const at::Tensor& padding_in,
                               const at::Tensor& position_bias, int64_t window,
                               int64_t shift) {
  const WindowAttentionSizes sizes =
      CheckWindowAttention(qkv_in, padding_in, position_bias, window, shift);
  if (!HasCudaKernel(qkv_in.scalar_type(), sizes)) {
    return SdpaWindowAttention(qkv_in, padding_in, position_bias, window,
                               shift);
  }
  const c10::cuda::CUDAGuard device_guard(qkv_in.device());
  const at::Tensor qkv = Packed(qkv_in);
  const at::Tensor padding = Packed(padding_in);
  const at::Tensor bias_by_key = Packed(position_bias.transpose(1, 2));
  const at::Tensor output =
      at::empty({sizes.batch, sizes.height, sizes.width, sizes.channels()},
                qkv.options());
  DispatchType(qkv, "qkv", [&](auto number) {
    using scalar_t = decltype(number);
    CheckLaunch(LaunchWindowAttention<KernelType<scalar_t>>(
        sizes,
        {Read<scalar_t>(qkv), Read<scalar_t>(padding),
         Read<scalar_t>(bias_by_key)},
        Write<scalar_t>(output), at::cuda::getCurrentCUDAStream()));
  });
  return output;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> WindowAttentionBackwardCuda(
    const at::Tensor& grad_output_in, const at::Tensor& qkv_in,
    const at::Tensor& padding_in, const at::Tensor& position_bias,
    int64_t window, int64_t shift) {
  const WindowAttentionSizes sizes = CheckWindowAttentionBackward(
      grad_output_in, qkv_in, padding_in, position_bias, window, shift);
  if (!HasCudaKernel(qkv_in.scalar_type(), sizes)) {
    return ComposedWindowAttentionBackward(grad_output_in, qkv_in, padding_in,
                                           position_bias, window, shift);
  }
  const c10::cuda::CUDAGuard device_guard(qkv_in.device());
  const at::Tensor grad_output = Packed(grad_output_in);
  const at::Tensor qkv = Packed(qkv_in);
  const at::Tensor padding = Packed(padding_in);
  const at::Tensor bias = Packed(position_bias);
  const at::Tensor bias_by_key = Packed(position_bias.transpose(1, 2));
  const int64_t parts = WindowAttentionGradientParts(sizes);
  const auto sums = qkv.options().dtype(at::kFloat);
  const at::Tensor grad_qkv = at::empty(qkv.sizes(), qkv.options());
  // Without windows there are no parts, whose sums are then zeros.
  const at::Tensor grad_padding = at::empty({parts, padding.size(0)}, sums);
  const at::Tensor grad_bias_by_key = at::empty(
      {parts, sizes.heads, sizes.positions(), sizes.positions()}, sums);
  DispatchType(qkv, "qkv", [&](auto number) {
    using scalar_t = decltype(number);
    CheckLaunch(LaunchWindowAttentionBackward<KernelType<scalar_t>>(
        sizes, Read<scalar_t>(grad_output),
        {Read<scalar_t>(qkv), Read<scalar_t>(padding),
         Read<scalar_t>(bias_by_key)},
        Read<scalar_t>(bias),
        {Write<scalar_t>(grad_qkv), parts, Write<float>(grad_padding),
         Write<float>(grad_bias_by_key)},
        at::cuda::getCurrentCUDAStream()));
  });
  return {grad_qkv, at::sum(grad_padding, 0).to(qkv.scalar_type()),
          at::sum(grad_bias_by_key, 0)
              .transpose(1, 2)
              .to(qkv.scalar_type())
              .contiguous()};
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CUDA, m) {
  m.impl("window_attention", &WindowAttentionCuda);
  m.impl("window_attention_backward", &WindowAttentionBackwardCuda);
}

}  // namespace mask2former::ops
