#include "mask2former/common/point_sample_reference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/grid_sampler.h>

#include <cstdint>
#include <vector>

#include "mask2former/common/point_sample_check.h"

namespace mask2former {
namespace {

constexpr int kBilinear = 0;     // at::native::GridSamplerInterpolation
constexpr int kZeroPadding = 0;  // at::native::GridSamplerPadding

// maps[rows], zeros for a row that does not exist.
at::Tensor Gather(const at::Tensor& maps, const at::Tensor& rows_in) {
  const at::Tensor rows = rows_in.to(maps.device());
  const int64_t images = maps.size(0);
  // Those that do not exist: the image of zeros behind all others.
  const at::Tensor image = rows.clamp(-1, images).remainder(images + 1);
  std::vector<int64_t> one_image = maps.sizes().vec();
  one_image[0] = 1;
  return at::cat({maps, maps.new_zeros(one_image)}).index_select(0, image);
}

}  // namespace

at::Tensor PointSampleReference(const at::Tensor& maps,
                                const std::optional<at::Tensor>& rows,
                                const at::Tensor& points) {
  CheckPointSample(maps, rows, points);
  const at::ScalarType type = PointSampleResultType(maps);
  const at::Tensor gathered = rows.has_value() ? Gather(maps, *rows) : maps;
  // [N, T, 2] -> [N, 1, T, 2], -1 .. 1
  const at::Tensor grid = 2 * points.detach().to(type).unsqueeze(1) - 1;
  return at::grid_sampler(gathered.to(type), grid, kBilinear, kZeroPadding,
                          /*align_corners=*/false)
      .squeeze(2);
}

}  // namespace mask2former
