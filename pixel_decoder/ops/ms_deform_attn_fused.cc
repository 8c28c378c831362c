#include "mask2former/pixel_decoder/ops/ms_deform_attn_fused.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

namespace mask2former::ops {

at::Tensor MsDeformAttnFused(const at::Tensor& value,
                             at::IntArrayRef level_shapes,
                             const at::Tensor& reference_points,
                             const at::Tensor& offsets,
                             const at::Tensor& logits) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mask2former::ms_deform_attn_fused", "")
          .typed<decltype(MsDeformAttnFused)>();
  return op.call(value, level_shapes, reference_points, offsets, logits);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> MsDeformAttnFusedBackward(
    const at::Tensor& grad_output, const at::Tensor& value,
    at::IntArrayRef level_shapes, const at::Tensor& reference_points,
    const at::Tensor& offsets, const at::Tensor& logits) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mask2former::ms_deform_attn_fused_backward", "")
          .typed<decltype(MsDeformAttnFusedBackward)>();
  return op.call(grad_output, value, level_shapes, reference_points, offsets,
                 logits);
}

TORCH_LIBRARY_FRAGMENT(mask2former, m) {
  m.def(
      "ms_deform_attn_fused(Tensor value, int[] level_shapes, "
      "Tensor reference_points, Tensor offsets, Tensor logits) -> Tensor");
  m.def(
      "ms_deform_attn_fused_backward(Tensor grad_output, Tensor value, "
      "int[] level_shapes, Tensor reference_points, Tensor offsets, "
      "Tensor logits) -> (Tensor, Tensor, Tensor)");
}

}  // namespace mask2former::ops
