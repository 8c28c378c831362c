#include "mask2former/common/point_sample.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/library.h>

#include <cstdint>

#include "mask2former/common/point_sample_check.h"
#include "mask2former/common/point_sample_reference.h"
#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

using Operator = at::Tensor(const at::Tensor&, const std::optional<at::Tensor>&,
                            const at::Tensor&);

}  // namespace

at::Tensor PointSample(const at::Tensor& maps, const at::Tensor& points) {
  return PointSample(maps, /*rows=*/std::nullopt, points);
}

at::Tensor PointSampleRows(const at::Tensor& maps, const at::Tensor& rows,
                           const at::Tensor& points) {
  CheckShape(maps, "maps", {kAny, kAny, kAny});
  CheckPointSample(maps.unsqueeze(1), rows, points);
  const at::Tensor host_rows = rows.cpu().contiguous();
  const int64_t* const row = host_rows.const_data_ptr<int64_t>();
  for (int64_t i = 0; i < host_rows.size(0); ++i) {
    TORCH_CHECK(row[i] >= 0 && row[i] < maps.size(0), "rows[", i,
                "] must be in 0 .. ", maps.size(0) - 1, ", got ", row[i]);
  }
  return PointSample(maps.unsqueeze(1), rows, points).squeeze(1);
}

at::Tensor PointSample(const at::Tensor& maps,
                       const std::optional<at::Tensor>& rows,
                       const at::Tensor& points) {
  static const auto op = c10::Dispatcher::singleton()
                             .findSchemaOrThrow("mask2former::point_sample", "")
                             .typed<Operator>();
  return op.call(maps, rows, points);
}

at::Tensor PointSampleBackward(const at::Tensor& grad_output,
                               const std::optional<at::Tensor>& rows,
                               const at::Tensor& points,
                               at::IntArrayRef map_sizes) {
  static const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("mask2former::point_sample_backward", "")
          .typed<decltype(PointSampleBackward)>();
  return op.call(grad_output, rows, points, map_sizes);
}

TORCH_LIBRARY_FRAGMENT(mask2former, m) {
  m.def("point_sample(Tensor maps, Tensor? rows, Tensor points) -> Tensor");
  m.def(
      "point_sample_backward(Tensor grad_output, Tensor? rows, Tensor points, "
      "int[] map_sizes) -> Tensor");
}

// For devices without a kernel; its steps bring their gradients.
TORCH_LIBRARY_IMPL(mask2former, CompositeImplicitAutograd, m) {
  m.impl("point_sample", &PointSampleReference);
}

}  // namespace mask2former
