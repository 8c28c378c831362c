#include <ATen/core/LegacyTypeDispatch.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>

#include "mask2former/common/point_sample.h"

namespace mask2former {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class PointSampleFunction
    : public torch::autograd::Function<PointSampleFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& maps,
                            const std::optional<at::Tensor>& rows,
                            const at::Tensor& points) {
    at::AutoDispatchBelowADInplaceOrView guard;
    context->save_for_backward({rows.value_or(at::Tensor()), points});
    context->saved_data["map_sizes"] = maps.sizes();
    context->saved_data["type"] = maps.scalar_type();
    return PointSample(maps, rows, points);
  }

  static variable_list backward(AutogradContext* context,
                                const variable_list& grad_outputs) {
    at::Tensor grad_maps;
    if (context->needs_input_grad(0)) {
      const variable_list saved = context->get_saved_variables();
      const std::optional<at::Tensor> rows =
          saved[0].defined() ? std::optional(saved[0]) : std::nullopt;
      grad_maps =
          PointSampleBackward(grad_outputs[0], rows, saved[1],
                              context->saved_data["map_sizes"].toIntVector())
              .to(context->saved_data["type"].toScalarType());
    }
    return {grad_maps, at::Tensor(), at::Tensor()};
  }
};

at::Tensor PointSampleAutograd(const at::Tensor& maps,
                               const std::optional<at::Tensor>& rows,
                               const at::Tensor& points) {
  return PointSampleFunction::apply(maps, rows, points);
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, Autograd, m) {
  m.impl("point_sample", &PointSampleAutograd);
  // Without it a second derivative would silently lack a part.
  m.impl("point_sample_backward",
         torch::autograd::autogradNotImplementedFallback());
}

}  // namespace mask2former
