#include <ATen/Context.h>
#include <ATen/cuda/CUDAContext.h>
#include <ATen/ops/empty.h>
#include <c10/cuda/CUDAGuard.h>
#include <torch/library.h>

#include <tuple>

#include "mask2former/common/cuda/check_launch.h"
#include "mask2former/common/cuda/tensor_pointers.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_check.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_kernel.h"

namespace mask2former::ops {
namespace {

at::Tensor MsDeformAttnCuda(const at::Tensor& value_in,
                            at::IntArrayRef level_shapes,
                            const at::Tensor& locations_in,
                            const at::Tensor& weights_in) {
  const MsDeformAttnSizes sizes =
      CheckMsDeformAttn(value_in, level_shapes, locations_in, weights_in);
  CheckMsDeformAttnCudaLimits(sizes);
  const c10::cuda::CUDAGuard device_guard(value_in.device());
  const at::Tensor value = Packed(value_in);
  const at::Tensor locations = Packed(locations_in);
  const at::Tensor weights = Packed(weights_in);
  at::Tensor output =
      at::empty({sizes.batch, sizes.queries, sizes.heads * sizes.head_dim},
                value.options());
  DispatchType(value, "value", [&](auto number) {
    using scalar_t = decltype(number);
    CheckLaunch(LaunchMsDeformAttn(
        sizes, level_shapes.data(), Read<scalar_t>(value),
        PlainSamples{Read<float>(locations), Read<float>(weights)},
        Write<scalar_t>(output), at::cuda::getCurrentCUDAStream()));
  });
  return output;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> MsDeformAttnBackwardCuda(
    const at::Tensor& grad_output_in, const at::Tensor& value_in,
    at::IntArrayRef level_shapes, const at::Tensor& locations_in,
    const at::Tensor& weights_in) {
  const MsDeformAttnSizes sizes = CheckMsDeformAttnBackward(
      grad_output_in, value_in, level_shapes, locations_in, weights_in);
  CheckMsDeformAttnCudaLimits(sizes);
  const c10::cuda::CUDAGuard device_guard(value_in.device());
  const at::Tensor grad_output = Packed(grad_output_in);
  const at::Tensor value = Packed(value_in);
  const at::Tensor locations = Packed(locations_in);
  const at::Tensor weights = Packed(weights_in);
  at::Tensor grad_value = at::empty(value.sizes(), locations.options());
  at::Tensor grad_locations = at::empty(locations.sizes(), locations.options());
  at::Tensor grad_weights = at::empty(weights.sizes(), weights.options());
  DispatchType(value, "value", [&](auto number) {
    using scalar_t = decltype(number);
    CheckLaunch(LaunchMsDeformAttnBackward(
        sizes, level_shapes.data(), Read<scalar_t>(grad_output),
        Read<scalar_t>(value),
        PlainSamples{Read<float>(locations), Read<float>(weights)},
        Write<float>(grad_value),
        PlainGradients{Write<float>(grad_locations),
                       Write<float>(grad_weights)},
        at::globalContext().deterministicAlgorithms(),
        at::cuda::getCurrentCUDAStream()));
  });
  return {grad_value.to(value.scalar_type()), grad_locations, grad_weights};
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CUDA, m) {
  m.impl("ms_deform_attn", &MsDeformAttnCuda);
  m.impl("ms_deform_attn_backward", &MsDeformAttnBackwardCuda);
}

}  // namespace mask2former::ops
