#include <ATen/Context.h>
#include <ATen/cuda/CUDAContext.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include <tuple>
#include <type_traits>

#include "mask2former/common/cuda/check_launch.h"
#include "mask2former/common/cuda/tensor_pointers.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_check.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"

namespace mask2former::ops {
namespace {

// Calls run(raw_t()) with the C++ type of `logits`, which is float or that of
// the values.
template <typename scalar_t, typename Run>
void DispatchRaw(const at::Tensor& logits, const Run& run) {
  if constexpr (!std::is_same_v<scalar_t, float>) {
    if (logits.scalar_type() != at::kFloat) return run(scalar_t());
  }
  run(float());
}

at::Tensor MsDeformAttnFusedCuda(const at::Tensor& value_in,
                                 at::IntArrayRef level_shapes,
                                 const at::Tensor& reference_points_in,
                                 const at::Tensor& offsets_in,
                                 const at::Tensor& logits_in) {
  const MsDeformAttnSizes sizes = CheckMsDeformAttnFused(
      value_in, level_shapes, reference_points_in, offsets_in, logits_in);
  CheckMsDeformAttnCudaLimits(sizes);
  const c10::cuda::CUDAGuard device_guard(value_in.device());
  const at::Tensor value = Packed(value_in);
  const at::Tensor points = Packed(reference_points_in);
  const at::Tensor offsets = Packed(offsets_in);
  const at::Tensor logits = Packed(logits_in);
  at::Tensor output =
      at::empty({sizes.batch, sizes.queries, sizes.heads * sizes.head_dim},
                value.options());
  DispatchType(value, "value", [&](auto number) {
    using scalar_t = decltype(number);
    DispatchRaw<scalar_t>(logits, [&](auto raw_number) {
      using raw_t = decltype(raw_number);
      CheckLaunch(LaunchMsDeformAttnFused(
          sizes, level_shapes.data(), Read<scalar_t>(value),
          FusedSamples<KernelType<raw_t>>{Read<float>(points), points.size(0),
                                          Read<raw_t>(offsets),
                                          Read<raw_t>(logits)},
          Write<scalar_t>(output), at::cuda::getCurrentCUDAStream()));
    });
  });
  return output;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> MsDeformAttnFusedBackwardCuda(
    const at::Tensor& grad_output_in, const at::Tensor& value_in,
    at::IntArrayRef level_shapes, const at::Tensor& reference_points_in,
    const at::Tensor& offsets_in, const at::Tensor& logits_in) {
  const MsDeformAttnSizes sizes = CheckMsDeformAttnFusedBackward(
      grad_output_in, value_in, level_shapes, reference_points_in, offsets_in,
      logits_in);
  CheckMsDeformAttnCudaLimits(sizes);
  const c10::cuda::CUDAGuard device_guard(value_in.device());
  const at::Tensor grad_output = Packed(grad_output_in);
  const at::Tensor value = Packed(value_in);
  const at::Tensor points = Packed(reference_points_in);
  const at::Tensor offsets = Packed(offsets_in);
  const at::Tensor logits = Packed(logits_in);
  at::Tensor grad_value = at::empty(value.sizes(), points.options());
  at::Tensor grad_offsets = at::empty(offsets.sizes(), offsets.options());
  at::Tensor grad_logits = at::empty(logits.sizes(), logits.options());
  DispatchType(value, "value", [&](auto number) {
    using scalar_t = decltype(number);
    DispatchRaw<scalar_t>(logits, [&](auto raw_number) {
      using raw_t = decltype(raw_number);
      CheckLaunch(LaunchMsDeformAttnFusedBackward(
          sizes, level_shapes.data(), Read<scalar_t>(grad_output),
          Read<scalar_t>(value),
          FusedSamples<KernelType<raw_t>>{Read<float>(points), points.size(0),
                                          Read<raw_t>(offsets),
                                          Read<raw_t>(logits)},
          Write<float>(grad_value),
          FusedGradients<KernelType<raw_t>>{Write<raw_t>(grad_offsets),
                                            Write<raw_t>(grad_logits)},
          at::globalContext().deterministicAlgorithms(),
          at::cuda::getCurrentCUDAStream()));
    });
  });
  return {grad_value.to(value.scalar_type()), grad_offsets, grad_logits};
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CUDA, m) {
  m.impl("ms_deform_attn_fused", &MsDeformAttnFusedCuda);
  m.impl("ms_deform_attn_fused_backward", &MsDeformAttnFusedBackwardCuda);
}

}  // namespace mask2former::ops
