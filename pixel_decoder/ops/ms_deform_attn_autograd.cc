#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "mask2former/pixel_decoder/ops/ms_deform_attn.h"

namespace mask2former::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class MsDeformAttnFunction
    : public torch::autograd::Function<MsDeformAttnFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& value,
                            at::IntArrayRef level_shapes,
                            const at::Tensor& locations,
                            const at::Tensor& weights) {
    at::AutoDispatchBelowADInplaceOrView guard;
    context->save_for_backward({value, locations, weights});
    context->saved_data["level_shapes"] = level_shapes;
    return MsDeformAttn(value, level_shapes, locations, weights);
  }

  static variable_list backward(AutogradContext* context,
                                const variable_list& grad_outputs) {
    const variable_list saved = context->get_saved_variables();
    auto [grad_value, grad_locations, grad_weights] = MsDeformAttnBackward(
        grad_outputs[0], saved[0],
        context->saved_data["level_shapes"].toIntVector(), saved[1], saved[2]);
    return {grad_value, at::Tensor(), grad_locations, grad_weights};
  }
};

at::Tensor MsDeformAttnAutograd(const at::Tensor& value,
                                at::IntArrayRef level_shapes,
                                const at::Tensor& locations,
                                const at::Tensor& weights) {
  return MsDeformAttnFunction::apply(value, level_shapes, locations, weights);
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, Autograd, m) {
  m.impl("ms_deform_attn", &MsDeformAttnAutograd);
  // Without it a second derivative would silently lack a part.
  m.impl("ms_deform_attn_backward",
         torch::autograd::autogradNotImplementedFallback());
}

}  // namespace mask2former::ops
