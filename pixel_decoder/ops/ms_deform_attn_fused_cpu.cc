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

template <typename scalar_t>
at::Tensor Centres(const MsDeformAttnSizes& sizes, at::IntArrayRef level_shapes,
                   const at::Tensor& reference_points) {
  const at::Tensor points = reference_points.contiguous();
  at::Tensor centres =
      at::empty({points.size(0), sizes.queries, sizes.levels, sizes.points, 2},
                points.options());
  FillMsDeformAttnCentres(sizes, level_shapes.data(),
                          points.const_data_ptr<scalar_t>(), points.size(0),
                          centres.mutable_data_ptr<scalar_t>());
  return centres;
}

// Parallel over (batch, head, some queries): each owns its D outputs a query.
at::Tensor MsDeformAttnFusedCpu(const at::Tensor& value_in,
                                at::IntArrayRef level_shapes,
                                const at::Tensor& reference_points,
                                const at::Tensor& offsets_in,
                                const at::Tensor& logits_in) {
  const MsDeformAttnSizes sizes = CheckMsDeformAttnFused(
      value_in, level_shapes, reference_points, offsets_in, logits_in);
  const at::ScalarType type = CoordinateType(value_in.scalar_type());
  const at::Tensor value = value_in.to(type).contiguous();
  const at::Tensor offsets = offsets_in.to(type).contiguous();
  const at::Tensor logits = logits_in.to(type).contiguous();
  at::Tensor output =
      at::empty({sizes.batch, sizes.queries, sizes.heads * sizes.head_dim},
                value.options());
  const int64_t part_samples =
      sizes.queries * sizes.levels * sizes.points / kForwardSplit;
  AT_DISPATCH_FLOATING_TYPES(type, "ms_deform_attn_fused_cpu", [&] {
    const at::Tensor centres =
        Centres<scalar_t>(sizes, level_shapes, reference_points);
    const MsDeformAttnFusedTask<scalar_t> task = {
        sizes,
        level_shapes.data(),
        value.const_data_ptr<scalar_t>(),
        centres.const_data_ptr<scalar_t>(),
        centres.size(0),
        offsets.const_data_ptr<scalar_t>(),
        logits.const_data_ptr<scalar_t>(),
        output.mutable_data_ptr<scalar_t>()};
    RunParts(sizes.batch * sizes.heads * kForwardSplit, part_samples,
             [&](int64_t begin, int64_t end) {
               BestKernel<scalar_t>().fused_forward(task, begin, end);
             });
  });
  return output.to(value_in.scalar_type());
}

// Three steps, each parallel over what nobody else writes: locations and
// weights of all samples; the plain form's gradients; from these to ours.
std::tuple<at::Tensor, at::Tensor, at::Tensor> MsDeformAttnFusedBackwardCpu(
    const at::Tensor& grad_output_in, const at::Tensor& value_in,
    at::IntArrayRef level_shapes, const at::Tensor& reference_points,
    const at::Tensor& offsets_in, const at::Tensor& logits_in) {
  const MsDeformAttnSizes sizes =
      CheckMsDeformAttnFusedBackward(grad_output_in, value_in, level_shapes,
                                     reference_points, offsets_in, logits_in);
  const at::ScalarType type = CoordinateType(value_in.scalar_type());
  const at::Tensor grad_output = grad_output_in.to(type).contiguous();
  const at::Tensor value = value_in.to(type).contiguous();
  const at::Tensor offsets = offsets_in.to(type).contiguous();
  const at::Tensor logits = logits_in.to(type).contiguous();
  at::Tensor locations = at::empty(offsets.sizes(), value.options());
  at::Tensor weights = at::empty(logits.sizes(), value.options());
  at::Tensor grad_value = at::empty(value.sizes(), value.options());
  at::Tensor grad_offsets = at::empty(offsets.sizes(), value.options());
  at::Tensor grad_logits = at::empty(logits.sizes(), value.options());
  const int64_t query_samples = sizes.heads * sizes.levels * sizes.points;
  AT_DISPATCH_FLOATING_TYPES(type, "ms_deform_attn_fused_backward_cpu", [&] {
    const at::Tensor centres =
        Centres<scalar_t>(sizes, level_shapes, reference_points);
    const MsDeformAttnCpuKernel<scalar_t>& kernel = BestKernel<scalar_t>();
    const MsDeformAttnFusedGradientTask<scalar_t> fused = {
        sizes,
        level_shapes.data(),
        centres.const_data_ptr<scalar_t>(),
        centres.size(0),
        offsets.const_data_ptr<scalar_t>(),
        logits.const_data_ptr<scalar_t>(),
        locations.mutable_data_ptr<scalar_t>(),
        weights.mutable_data_ptr<scalar_t>(),
        grad_offsets.mutable_data_ptr<scalar_t>(),
        grad_logits.mutable_data_ptr<scalar_t>()};
    const MsDeformAttnBackwardTask<scalar_t> plain = {
        sizes,
        level_shapes.data(),
        grad_output.const_data_ptr<scalar_t>(),
        value.const_data_ptr<scalar_t>(),
        fused.locations,
        fused.weights,
        grad_value.mutable_data_ptr<scalar_t>(),
        fused.grad_offsets,
        fused.grad_logits};
    const int64_t queries = sizes.batch * sizes.queries;
    RunParts(queries, query_samples, [&](int64_t begin, int64_t end) {
      kernel.fill_samples(fused, begin, end);
    });
    RunParts(sizes.batch * sizes.heads * sizes.levels,
             sizes.queries * sizes.points, [&](int64_t begin, int64_t end) {
               kernel.backward(plain, begin, end);
             });
    RunParts(queries, query_samples, [&](int64_t begin, int64_t end) {
      kernel.finish_gradients(fused, begin, end);
    });
  });
  return {grad_value.to(value_in.scalar_type()),
          grad_offsets.to(offsets_in.scalar_type()),
          grad_logits.to(logits_in.scalar_type())};
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CPU, m) {
  m.impl("ms_deform_attn_fused", &MsDeformAttnFusedCpu);
  m.impl("ms_deform_attn_fused_backward", &MsDeformAttnFusedBackwardCpu);
}

}  // namespace mask2former::ops
