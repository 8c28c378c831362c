#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <c10/util/Exception.h>
#include <torch/library.h>

#include <cstdint>
#include <optional>

#include "mask2former/common/cuda/check_launch.h"
#include "mask2former/common/cuda/half.h"
#include "mask2former/common/point_sample_check.h"
#include "mask2former/common/point_sample_kernel.h"

namespace mask2former {
namespace {

// On the maps' device and contiguous; undefined without rows.
at::Tensor PrepareRows(const std::optional<at::Tensor>& rows,
                       at::Device device) {
  return rows.has_value() ? rows->to(device).contiguous() : at::Tensor();
}

const int64_t* RowPointer(const at::Tensor& rows) {
  return rows.defined() ? rows.const_data_ptr<int64_t>() : nullptr;
}

template <typename Pixel, typename Real>
void Launch(const PointSampleSizes& sizes, const at::Tensor& maps,
            const at::Tensor& rows, const at::Tensor& points,
            at::Tensor& output) {
  CheckLaunch(LaunchPointSample<Pixel, Real>(
      sizes, static_cast<const Pixel*>(maps.const_data_ptr()), RowPointer(rows),
      points.const_data_ptr<Real>(), output.mutable_data_ptr<Real>(),
      c10::cuda::getCurrentCUDAStream()));
}

at::Tensor PointSampleCuda(const at::Tensor& maps_in,
                           const std::optional<at::Tensor>& rows_in,
                           const at::Tensor& points_in) {
  const PointSampleSizes sizes = CheckPointSample(maps_in, rows_in, points_in);
  const c10::cuda::CUDAGuard device_guard(maps_in.device());
  const at::Tensor maps = PreparePointSampleMaps(maps_in);
  const at::Tensor rows = PrepareRows(rows_in, maps.device());
  const at::Tensor points =
      points_in.to(PointSampleResultType(maps)).contiguous();
  at::Tensor output =
      at::empty({sizes.groups, sizes.maps, sizes.points}, points.options());
  switch (maps.scalar_type()) {
    case at::kDouble:
      Launch<double, double>(sizes, maps, rows, points, output);
      break;
    case at::kFloat:
      Launch<float, float>(sizes, maps, rows, points, output);
      break;
    case at::kHalf:
      Launch<Float16, float>(sizes, maps, rows, points, output);
      break;
    case at::kBFloat16:
      Launch<BFloat16, float>(sizes, maps, rows, points, output);
      break;
    case at::kBool:  // Stored as 0 or 1.
    case at::kByte:
      Launch<uint8_t, float>(sizes, maps, rows, points, output);
      break;
    default:
      TORCH_INTERNAL_ASSERT(false, maps.scalar_type());
  }
  return output;
}

at::Tensor PointSampleBackwardCuda(const at::Tensor& grad_output_in,
                                   const std::optional<at::Tensor>& rows_in,
                                   const at::Tensor& points_in,
                                   at::IntArrayRef map_sizes) {
  const PointSampleSizes sizes =
      CheckPointSampleBackward(grad_output_in, rows_in, points_in, map_sizes);
  at::globalContext().alertNotDeterministic("point_sample_backward_cuda");
  const c10::cuda::CUDAGuard device_guard(grad_output_in.device());
  const at::Tensor grad_output = grad_output_in.contiguous();
  const at::Tensor rows = PrepareRows(rows_in, grad_output.device());
  const at::Tensor points =
      points_in.to(grad_output.scalar_type()).contiguous();
  at::Tensor result = at::zeros(map_sizes, grad_output.options());
  const auto stream = c10::cuda::getCurrentCUDAStream();
  if (grad_output.scalar_type() == at::kDouble) {
    CheckLaunch(LaunchPointSampleBackward(
        sizes, grad_output.const_data_ptr<double>(), RowPointer(rows),
        points.const_data_ptr<double>(), result.mutable_data_ptr<double>(),
        stream));
  } else {
    CheckLaunch(LaunchPointSampleBackward(
        sizes, grad_output.const_data_ptr<float>(), RowPointer(rows),
        points.const_data_ptr<float>(), result.mutable_data_ptr<float>(),
        stream));
  }
  return result;
}

}  // namespace

TORCH_LIBRARY_IMPL(mask2former, CUDA, m) {
  m.impl("point_sample", &PointSampleCuda);
  m.impl("point_sample_backward", &PointSampleBackwardCuda);
}

}  // namespace mask2former
