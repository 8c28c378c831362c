#include <ATen/Dispatch.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <torch/library.h>

#include <tuple>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_best_kernel.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_check.h"
#include "mask2former/pixel_decoder/ops/ms_deform_attn_cpu_kernel.h"

namespace mask2former::ops {
namespace {

// Parallel over (batch, head, some queries): each owns its D outputs a query.
at::Tensor MsDeformAttnCpu(const at::Tensor& value_in,
                           at::IntArrayRef level_shapes,
                           const at::Tensor& locations_in,
                           const at::Tensor& weights_in) {
  const MsDeformAttnSizes sizes =
      CheckMsDeformAttn(value_in, level_shapes, locations_in, weights_in);
  const at::ScalarType type = value_in.scalar_type();
  if (type == at::kHalf || type == at::kBFloat16) {
    return MsDeformAttnCpu(value_in.to(at::kFloat), level_shapes, locations_in,
                           weights_in)
        .to(type);
  }
  const at::Tensor value = value_in.contiguous();
  const at::Tensor locations = locations_in.contiguous();
  const at::Tensor weights = weights_in.contiguous();
  at::Tensor output =
      at::empty({sizes.batch, sizes.queries, sizes.heads * sizes.head_dim},
                value.options());
  const int64_t part_samples =
      sizes.queries * sizes.levels * sizes.points / kForwardSplit;
  AT_DISPATCH_FLOATING_TYPES(value.scalar_type(), "ms_deform_attn_cpu", [&] {
    const MsDeformAttnForwardTask<scalar_t> task = {
        sizes,
        level_shapes.data(),
        value.const_data_ptr<scalar_t>(),
        locations.const_data_ptr<scalar_t>(),
        weights.const_data_ptr<scalar_t>(),
        output.mutable_data_ptr<scalar_t>()};
    RunParts(sizes.batch * sizes.heads * kForwardSplit, part_samples,
             [&](int64_t begin, int64_t end) {
               BestKernel<scalar_t>().forward(task, begin, end);
             });
  });
  return output;
}

// Parallel over (batch, head, level): each owns its slice of grad_value, so no
// two threads write one address and the order of additions is fixed.
std::tuple<at::Tensor, at::Tensor, at::Tensor> MsDeformAttnBackwardCpu(
    const at::Tensor& grad_output_in, const at::Tensor& value_in,
    at::IntArrayRef level_shapes, const at::Tensor& locations_in,
    const at::Tensor& weights_in) {
  const MsDeformAttnSizes sizes = CheckMsDeformAttnBackward(
      grad_output_in, value_in, level_shapes, locations_in, weights_in);
  const at::ScalarType type = value_in.scalar_type();
  if (type == at::kHalf || type == at::kBFloat16) {
    auto [grad_value, grad_locations, grad_weights] = MsDeformAttnBackwardCpu(
        grad_output_in.to(at::kFloat), value_in.to(at::kFloat), level_shapes,
        locations_in, weights_in);
    return {grad_value.to(type), grad_locations, grad_weights};
  }
  const at::Tensor grad_output = grad_output_in.contiguous();
  const at::Tensor value = value_in.contiguous();
  const at::Tensor locations = locations_in.contiguous();
  const at::Tensor weights = weights_in.contiguous();
  at::Tensor grad_value = at::empty(value.sizes(), value.options());
  at::Tensor grad_locations = at::empty(locations.sizes(), value.options());
  at::Tensor grad_weights = at::empty(weights.sizes(), value.options());
  const int64_t part_samples = sizes.queries * sizes.points;
  AT_DISPATCH_FLOATING_TYPES(
      value.scalar_type(), "ms_deform_attn_backward_cpu", [&] {
        const MsDeformAttnBackwardTask<scalar_t> task = {
            sizes,
            level_shapes.data(),
            grad_output.const_data_ptr<scalar_t>(),
            value.const_data_ptr<scalar_t>(),
            locations.const_data_ptr<scalar_t>(),
            weights.const_data_ptr<scalar_t>(),
            grad_value.mutable_data_ptr<scalar_t>(),
            grad_locations.mutable_data_ptr<scalar_t>(),
            grad_weights.mutable_data_ptr<scalar_t>()};
        RunParts(sizes.batch * sizes.heads * sizes.levels, part_samples,
                 [&](int64_t begin, int64_t end) {
                   BestKernel<scalar_t>().backward(task, begin, end);
                 });
      });
  return {grad_value, grad_locations, grad_weights};
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CPU, m) {
  m.impl("ms_deform_attn", &MsDeformAttnCpu);
  m.impl("ms_deform_attn_backward", &MsDeformAttnBackwardCpu);
}

}  // namespace mask2former::ops
