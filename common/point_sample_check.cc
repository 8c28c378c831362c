#include "mask2former/common/point_sample_check.h"

#include <c10/util/Exception.h>

#include <cstdint>
#include <limits>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

// What both have in common; `name` is what is on `device`.
PointSampleSizes Check(at::IntArrayRef map_sizes, at::Device device,
                       const char* name, const std::optional<at::Tensor>& rows,
                       const at::Tensor& points) {
  TORCH_CHECK(map_sizes.size() == 4, "maps must have shape [M, C, H, W], got ",
              map_sizes);
  const int64_t images = map_sizes[0];
  const int64_t height = map_sizes[2], width = map_sizes[3];
  TORCH_CHECK(images >= 0 && map_sizes[1] >= 0 && height > 0 && width > 0,
              "maps must have pixels, got sizes ", map_sizes);
  TORCH_CHECK(height <= std::numeric_limits<int32_t>::max() / width,
              "maps must have fewer than 2^31 pixels, got ", height, " x ",
              width);
  if (rows.has_value()) {
    CheckShape(*rows, "rows", {kAny});
    TORCH_CHECK(rows->scalar_type() == at::kLong, "rows must be int64, got ",
                rows->scalar_type());
  }
  CheckShape(points, "points",
             {rows.has_value() ? rows->size(0) : images, kAny, 2});
  TORCH_CHECK(at::isFloatingType(points.scalar_type()),
              "points must be floating point, got ", points.scalar_type());
  TORCH_CHECK(points.device() == device, name,
              " and points must be on one device, got ", device, " and ",
              points.device());
  return {points.size(0),
          map_sizes[1],
          points.size(1),
          static_cast<int32_t>(height),
          static_cast<int32_t>(width),
          images};
}

}  // namespace

PointSampleSizes CheckPointSample(const at::Tensor& maps,
                                  const std::optional<at::Tensor>& rows,
                                  const at::Tensor& points) {
  const at::ScalarType type = maps.scalar_type();
  TORCH_CHECK(
      type == at::kBool || type == at::kByte || at::isFloatingType(type),
      "maps must be bool, uint8 or floating point, got ", type);
  return Check(maps.sizes(), maps.device(), "maps", rows, points);
}

PointSampleSizes CheckPointSampleBackward(const at::Tensor& grad_output,
                                          const std::optional<at::Tensor>& rows,
                                          const at::Tensor& points,
                                          at::IntArrayRef map_sizes) {
  const PointSampleSizes sizes =
      Check(map_sizes, grad_output.device(), "grad_output", rows, points);
  CheckShape(grad_output, "grad_output",
             {sizes.groups, sizes.maps, sizes.points});
  const at::ScalarType type = grad_output.scalar_type();
  TORCH_CHECK(type == at::kFloat || type == at::kDouble,
              "grad_output must be Float or Double, got ", type);
  return sizes;
}

at::Tensor PreparePointSampleMaps(const at::Tensor& maps) {
  switch (maps.scalar_type()) {
    case at::kBool:
    case at::kByte:
    case at::kHalf:
    case at::kBFloat16:
    case at::kFloat:
    case at::kDouble:
      return maps.contiguous();
    default:
      return maps.to(at::kFloat).contiguous();
  }
}

at::ScalarType PointSampleResultType(const at::Tensor& maps) {
  return maps.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace mask2former
