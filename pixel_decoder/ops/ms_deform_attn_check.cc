#include "mask2former/pixel_decoder/ops/ms_deform_attn_check.h"

#include <c10/util/Exception.h>

#include <limits>

#include "mask2former/common/tensor_shape.h"

namespace mask2former::ops {
namespace {

void CheckIs(const at::Tensor& tensor, const char* name, at::ScalarType type,
             const at::Tensor& value) {
  TORCH_CHECK(tensor.scalar_type() == type && tensor.device() == value.device(),
              name, " must be ", type, " on ", value.device(), " beside a ",
              value.scalar_type(), " value, got ", tensor.scalar_type(), " on ",
              tensor.device());
}

// The sizes that value and level_shapes tell.
MsDeformAttnSizes CheckValue(const at::Tensor& value,
                             at::IntArrayRef level_shapes) {
  TORCH_CHECK(!level_shapes.empty() && level_shapes.size() % 2 == 0,
              "level_shapes must hold (H, W) pairs, got ", level_shapes);
  const int64_t levels = static_cast<int64_t>(level_shapes.size()) / 2;
  constexpr int64_t kMaxPositions = std::numeric_limits<int32_t>::max();
  int64_t positions = 0;
  for (int64_t l = 0; l < levels; ++l) {
    const int64_t height = level_shapes[2 * l];
    const int64_t width = level_shapes[2 * l + 1];
    TORCH_CHECK(height > 0 && width > 0, "level_shapes must be positive, got ",
                level_shapes);
    // By division, for products of 64 bits may overflow.
    TORCH_CHECK(height <= (kMaxPositions - positions) / width,
                "the levels must have less than 2^31 positions, got shapes ",
                level_shapes);
    positions += height * width;
  }
  CheckShape(value, "value", {kAny, positions, kAny, kAny});
  MsDeformAttnSizes sizes = {};
  sizes.batch = value.size(0);
  sizes.positions = positions;
  sizes.heads = value.size(2);
  sizes.head_dim = value.size(3);
  sizes.levels = levels;
  return sizes;
}

// Reads Q and P off [B, Q, M, L, P].
void CheckPerSample(const at::Tensor& tensor, const char* name,
                    MsDeformAttnSizes* sizes) {
  CheckShape(tensor, name,
             {sizes->batch, kAny, sizes->heads, sizes->levels, kAny});
  sizes->queries = tensor.size(1);
  sizes->points = tensor.size(4);
}

void CheckGradOutput(const at::Tensor& grad_output, const at::Tensor& value,
                     const MsDeformAttnSizes& sizes) {
  CheckShape(grad_output, "grad_output",
             {sizes.batch, sizes.queries, sizes.heads * sizes.head_dim});
  CheckIs(grad_output, "grad_output", value.scalar_type(), value);
}

}  // namespace

at::ScalarType CoordinateType(at::ScalarType type) {
  return type == at::kDouble ? at::kDouble : at::kFloat;
}

MsDeformAttnSizes CheckMsDeformAttn(const at::Tensor& value,
                                    at::IntArrayRef level_shapes,
                                    const at::Tensor& locations,
                                    const at::Tensor& weights) {
  MsDeformAttnSizes sizes = CheckValue(value, level_shapes);
  CheckPerSample(weights, "weights", &sizes);
  CheckShape(
      locations, "locations",
      {sizes.batch, sizes.queries, sizes.heads, sizes.levels, sizes.points, 2});
  const at::ScalarType type = CoordinateType(value.scalar_type());
  CheckIs(locations, "locations", type, value);
  CheckIs(weights, "weights", type, value);
  return sizes;
}

MsDeformAttnSizes CheckMsDeformAttnBackward(const at::Tensor& grad_output,
                                            const at::Tensor& value,
                                            at::IntArrayRef level_shapes,
                                            const at::Tensor& locations,
                                            const at::Tensor& weights) {
  const MsDeformAttnSizes sizes =
      CheckMsDeformAttn(value, level_shapes, locations, weights);
  CheckGradOutput(grad_output, value, sizes);
  return sizes;
}

MsDeformAttnSizes CheckMsDeformAttnFused(const at::Tensor& value,
                                         at::IntArrayRef level_shapes,
                                         const at::Tensor& reference_points,
                                         const at::Tensor& offsets,
                                         const at::Tensor& logits) {
  MsDeformAttnSizes sizes = CheckValue(value, level_shapes);
  CheckPerSample(logits, "logits", &sizes);
  CheckShape(
      offsets, "offsets",
      {sizes.batch, sizes.queries, sizes.heads, sizes.levels, sizes.points, 2});
  CheckShape(reference_points, "reference_points",
             {reference_points.dim() > 0 && reference_points.size(0) == 1
                  ? 1
                  : sizes.batch,
              sizes.queries, sizes.levels, 2});
  const at::ScalarType type = CoordinateType(value.scalar_type());
  CheckIs(reference_points, "reference_points", type, value);
  CheckIs(
      logits, "logits",
      logits.scalar_type() == value.scalar_type() ? value.scalar_type() : type,
      value);
  CheckIs(offsets, "offsets", logits.scalar_type(), value);
  return sizes;
}

MsDeformAttnSizes CheckMsDeformAttnFusedBackward(
    const at::Tensor& grad_output, const at::Tensor& value,
    at::IntArrayRef level_shapes, const at::Tensor& reference_points,
    const at::Tensor& offsets, const at::Tensor& logits) {
  const MsDeformAttnSizes sizes = CheckMsDeformAttnFused(
      value, level_shapes, reference_points, offsets, logits);
  CheckGradOutput(grad_output, value, sizes);
  return sizes;
}

void CheckMsDeformAttnCudaLimits(const MsDeformAttnSizes& sizes) {
  for (const MsDeformAttnCudaLimit& limit : MsDeformAttnCudaLimits(sizes)) {
    TORCH_CHECK(
        limit.size < limit.limit, "deformable attention on CUDA: ", limit.name,
        " must be less than ", limit.limit, ", got ", limit.size,
        " (B = ", sizes.batch, ", S = ", sizes.positions, ", M = ", sizes.heads,
        ", D = ", sizes.head_dim, ", Q = ", sizes.queries,
        ", L = ", sizes.levels, ", P = ", sizes.points, ")");
  }
}

}  // namespace mask2former::ops
