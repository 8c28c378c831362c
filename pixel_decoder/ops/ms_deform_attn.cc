#include "mask2former/pixel_decoder/ops/ms_deform_attn.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

namespace mask2former::ops {

at::Tensor MsDeformAttn(const at::Tensor& value, at::IntArrayRef level_shapes,
                        const at::Tensor& locations,
                        const at::Tensor& weights) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mask2former::ms_deform_attn", "")
          .typed<decltype(MsDeformAttn)>();
  return op.call(value, level_shapes, locations, weights);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> MsDeformAttnBackward(
    const at::Tensor& grad_output, const at::Tensor& value,
    at::IntArrayRef level_shapes, const at::Tensor& locations,
    const at::Tensor& weights) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mask2former::ms_deform_attn_backward", "")
          .typed<decltype(MsDeformAttnBackward)>();
  return op.call(grad_output, value, level_shapes, locations, weights);
}

TORCH_LIBRARY_FRAGMENT(mask2former, m) {
  m.def(
      "ms_deform_attn(Tensor value, int[] level_shapes, Tensor locations, "
      "Tensor weights) -> Tensor");
  m.def(
      "ms_deform_attn_backward(Tensor grad_output, Tensor value, "
      "int[] level_shapes, Tensor locations, Tensor weights) "
      "-> (Tensor, Tensor, Tensor)");
}

}  // namespace mask2former::ops
