#include "mask2former/pixel_decoder/ops/ms_deform_attn_check.h"

#include <c10/util/Exception.h>

#include <limits>

#include "mask2former/common/tensor_shape.h"

namespace mask2former::ops {
namespace {

void CheckLike(const at::Tensor& tensor, const char* name,
               const at::Tensor& value) {
  TORCH_CHECK(tensor.scalar_type() == value.scalar_type() &&
                  tensor.device() == value.device(),
              name, " must have the dtype and device of value, ",
              value.scalar_type(), " on ", value.device(), ", got ",
              tensor.scalar_type(), " on ", tensor.device());
}

}  // namespace

MsDeformAttnSizes CheckMsDeformAttn(const at::Tensor& value,
                                    at::IntArrayRef level_shapes,
                                    const at::Tensor& locations,
                                    const at::Tensor& weights) {
  TORCH_CHECK(!level_shapes.empty() && level_shapes.size() % 2 == 0,
              "level_shapes must hold (H, W) pairs, got ", level_shapes);
  const int64_t levels = static_cast<int64_t>(level_shapes.size()) / 2;
  int64_t positions = 0;
  for (int64_t l = 0; l < levels; ++l) {
    TORCH_CHECK(level_shapes[2 * l] > 0 && level_shapes[2 * l + 1] > 0,
                "level_shapes must be positive, got ", level_shapes);
    positions += level_shapes[2 * l] * level_shapes[2 * l + 1];
  }
  TORCH_CHECK(positions <= std::numeric_limits<int32_t>::max(),
              "the levels must have less than 2^31 positions, got ", positions);
  CheckShape(value, "value", {kAny, positions, kAny, kAny});
  const int64_t batch = value.size(0);
  const int64_t heads = value.size(2);
  CheckShape(weights, "weights", {batch, kAny, heads, levels, kAny});
  const int64_t queries = weights.size(1);
  const int64_t points = weights.size(4);
  CheckShape(locations, "locations",
             {batch, queries, heads, levels, points, 2});
  CheckLike(locations, "locations", value);
  CheckLike(weights, "weights", value);
  return {batch, positions, heads, value.size(3), queries, levels, points};
}

MsDeformAttnSizes CheckMsDeformAttnBackward(const at::Tensor& grad_output,
                                            const at::Tensor& value,
                                            at::IntArrayRef level_shapes,
                                            const at::Tensor& locations,
                                            const at::Tensor& weights) {
  const MsDeformAttnSizes sizes =
      CheckMsDeformAttn(value, level_shapes, locations, weights);
  CheckShape(grad_output, "grad_output",
             {sizes.batch, sizes.queries, sizes.heads * sizes.head_dim});
  CheckLike(grad_output, "grad_output", value);
  return sizes;
}

}  // namespace mask2former::ops
