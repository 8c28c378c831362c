#include <ATen/TensorOperators.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/tensor.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <vector>

#include "mask2former/pixel_decoder/ops/ms_deform_attn_fused.h"

namespace mask2former::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// A reference point moves all heads and points of its query and level.
at::Tensor GradReferencePoints(const at::Tensor& grad_offsets,
                               const at::Tensor& reference_points,
                               const std::vector<int64_t>& level_shapes) {
  std::vector<double> sizes;
  for (size_t l = 0; l < level_shapes.size(); l += 2) {
    sizes.push_back(static_cast<double>(level_shapes[l + 1]));
    sizes.push_back(static_cast<double>(level_shapes[l]));
  }
  // [B, Q, M, L, P, 2] -> [B, Q, L, 2]
  const at::Tensor sums =
      at::sum(grad_offsets, {2, 4}, /*keepdim=*/false,
              reference_points.scalar_type()) *
      at::tensor(sizes, reference_points.options()).view({-1, 2});
  return reference_points.size(0) == sums.size(0)
             ? sums
             : at::sum(sums, 0, /*keepdim=*/true);
}

class MsDeformAttnFusedFunction
    : public torch::autograd::Function<MsDeformAttnFusedFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& value,
                            at::IntArrayRef level_shapes,
                            const at::Tensor& reference_points,
                            const at::Tensor& offsets,
                            const at::Tensor& logits) {
    at::AutoDispatchBelowADInplaceOrView guard;
    context->save_for_backward({value, reference_points, offsets, logits});
    context->saved_data["level_shapes"] = level_shapes;
    return MsDeformAttnFused(value, level_shapes, reference_points, offsets,
                             logits);
  }

  static variable_list backward(AutogradContext* context,
                                const variable_list& grad_outputs) {
    const variable_list saved = context->get_saved_variables();
    const std::vector<int64_t> level_shapes =
        context->saved_data["level_shapes"].toIntVector();
    auto [grad_value, grad_offsets, grad_logits] = MsDeformAttnFusedBackward(
        grad_outputs[0], saved[0], level_shapes, saved[1], saved[2], saved[3]);
    at::Tensor grad_points;
    // Counts tensors only: value is 0, level_shapes is none.
    constexpr size_t kReferencePoints = 1;
    if (context->needs_input_grad(kReferencePoints)) {
      grad_points = GradReferencePoints(grad_offsets, saved[1], level_shapes);
    }
    return {grad_value, at::Tensor(), grad_points, grad_offsets, grad_logits};
  }
};

at::Tensor MsDeformAttnFusedAutograd(const at::Tensor& value,
                                     at::IntArrayRef level_shapes,
                                     const at::Tensor& reference_points,
                                     const at::Tensor& offsets,
                                     const at::Tensor& logits) {
  return MsDeformAttnFusedFunction::apply(value, level_shapes, reference_points,
                                          offsets, logits);
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, Autograd, m) {
  m.impl("ms_deform_attn_fused", &MsDeformAttnFusedAutograd);
  // Without it a second derivative would silently lack a part.
  m.impl("ms_deform_attn_fused_backward",
         torch::autograd::autogradNotImplementedFallback());
}

}  // namespace mask2former::ops
