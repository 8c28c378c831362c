#include "mask2former/pixel_decoder/ops/ms_deform_attn_reference.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/grid_sampler.h>
#include <ATen/ops/stack.h>

#include <vector>

namespace mask2former::ops {
namespace {

constexpr int64_t kBilinear = 0;
constexpr int64_t kZeros = 0;

}  // namespace

at::Tensor MsDeformAttnReference(const at::Tensor& value,
                                 at::IntArrayRef level_shapes,
                                 const at::Tensor& locations,
                                 const at::Tensor& weights) {
  const int64_t batch = value.size(0);
  const int64_t heads = value.size(2);
  const int64_t head_dim = value.size(3);
  const int64_t queries = locations.size(1);
  const int64_t points = locations.size(4);
  const at::Tensor grid = 2 * locations - 1;
  std::vector<at::Tensor> samples;
  int64_t start = 0;
  for (size_t l = 0; l < level_shapes.size() / 2; ++l) {
    const int64_t height = level_shapes[2 * l];
    const int64_t width = level_shapes[2 * l + 1];
    // [B, HW, M, D] -> [BM, D, H, W]
    const at::Tensor map =
        value.narrow(1, start, height * width)
            .permute({0, 2, 3, 1})
            .reshape({batch * heads, head_dim, height, width});
    // [B, Q, M, P, 2] -> [BM, Q, P, 2]
    const at::Tensor level_grid =
        grid.select(3, static_cast<int64_t>(l))
            .transpose(1, 2)
            .reshape({batch * heads, queries, points, 2});
    samples.push_back(at::grid_sampler(map, level_grid, kBilinear, kZeros,
                                       /*align_corners=*/false));
    start += height * width;
  }
  // [B, Q, M, L, P] -> [BM, 1, Q, LP]
  const at::Tensor flat_weights =
      weights.transpose(1, 2).reshape({batch * heads, 1, queries, -1});
  // [BM, D, Q, L, P] x weights -> [BM, D, Q] -> [B, Q, MD]
  return (at::stack(samples, 3).flatten(3) * flat_weights)
      .sum(-1)
      .view({batch, heads * head_dim, queries})
      .transpose(1, 2)
      .contiguous();
}

}  // namespace mask2former::ops
