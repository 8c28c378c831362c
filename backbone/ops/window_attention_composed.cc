#include "mask2former/backbone/ops/window_attention_composed.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_softmax_backward_data.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>

#include <cmath>

namespace mask2former::ops {
namespace {

int64_t RoundUp(int64_t value, int64_t divisor) {
  return (value + divisor - 1) / divisor * divisor;
}

// [B, H, W, ..] -> [B, n, T, ..], n windows of T positions, both row-major.
at::Tensor SplitWindows(const at::Tensor& map, int64_t window) {
  return map.unflatten(2, {-1, window})
      .unflatten(1, {-1, window})
      .transpose(2, 3)
      .flatten(3, 4)
      .flatten(1, 2);
}

// [B, n, T, C] -> [B, height, width, C]
at::Tensor JoinWindows(const at::Tensor& windows, int64_t window,
                       int64_t height, int64_t width) {
  return windows
      .view({windows.size(0), height / window, width / window, window, window,
             windows.size(3)})
      .transpose(2, 3)
      .reshape({windows.size(0), height, width, windows.size(3)});
}

// `padding` right of and below `map`.
at::Tensor Pad(const at::Tensor& map, const at::Tensor& padding, int64_t height,
               int64_t width) {
  const int64_t batch = map.size(0), channels = map.size(3);
  at::Tensor padded = map;
  const auto append = [&](int64_t dim, int64_t rows, int64_t columns) {
    if (rows == 0 || columns == 0) return;
    padded = at::cat({padded, padding.expand({batch, rows, columns, channels})},
                     dim);
  };
  append(2, map.size(1), width - map.size(2));
  append(1, height - map.size(1), width);
  return padded;
}

// [n, 1, T, T]: -100 between positions of a window that were not neighbours
// before the map of height x width was rolled, else 0.
at::Tensor ShiftMask(int64_t height, int64_t width, int64_t window,
                     int64_t shift, const at::TensorOptions& options) {
  const auto bands = [&](int64_t size) {
    const at::Tensor place =
        at::arange(size, at::TensorOptions(options.device()).dtype(at::kLong));
    return place.ge(size - window).to(at::kLong) +
           place.ge(size - shift).to(at::kLong);
  };
  const at::Tensor regions =
      3 * bands(height).unsqueeze(1) + bands(width).unsqueeze(0);
  const at::Tensor labels =
      SplitWindows(regions.view({1, height, width}), window).squeeze(0);
  return labels.unsqueeze(1)
      .ne(labels.unsqueeze(2))
      .to(options)
      .mul_(-100)
      .unsqueeze(1);
}

// How a map becomes windows: padded to `height` x `width`, rolled by `shift`,
// cut.
struct Tiling {
  Tiling(const at::Tensor& map, int64_t window, int64_t shift)
      : window(window),
        shift(shift),
        height(RoundUp(map.size(1), window)),
        width(RoundUp(map.size(2), window)) {}

  // [B, H, W, C] -> [B, n, T, C]
  at::Tensor Split(const at::Tensor& map, const at::Tensor& padding) const {
    at::Tensor padded = Pad(map, padding, height, width);
    if (shift > 0) padded = at::roll(padded, {-shift, -shift}, {1, 2});
    return SplitWindows(padded, window);
  }

  // [B, n, T, C] -> [B, height, width, C], padding included.
  at::Tensor Join(const at::Tensor& windows) const {
    const at::Tensor map = JoinWindows(windows, window, height, width);
    return shift > 0 ? at::roll(map, {shift, shift}, {1, 2}) : map;
  }

  // Undefined if there is nothing to mask.
  at::Tensor Mask(const at::TensorOptions& options) const {
    return shift > 0 ? ShiftMask(height, width, window, shift, options)
                     : at::Tensor();
  }

  int64_t window, shift, height, width;
};

// [B, n, T, count C] -> `count` of [B, n, M, T, D]
at::Tensor SplitHeads(const at::Tensor& windows, int64_t count, int64_t heads) {
  return windows.unflatten(-1, {count, heads, -1}).permute({3, 0, 1, 4, 2, 5});
}

// The reverse of SplitHeads().
at::Tensor JoinHeads(const at::Tensor& parts) {
  return parts.permute({1, 2, 4, 0, 3, 5}).flatten(3);
}

// What attention inside the windows makes of queries, keys and values, three of
// [B, n, M, T, D], bias [M, T, T] and mask [n, 1, T, T] or undefined:
// [B, n, M, T, D].
using Attention = at::Tensor (*)(const at::Tensor& parts,
                                 const at::Tensor& bias,
                                 const at::Tensor& mask);

double Scale(const at::Tensor& parts) {
  return 1 / std::sqrt(static_cast<double>(parts.size(5)));
}

// [B, n, M, T, T], rows that sum to 1.
at::Tensor Weights(const at::Tensor& parts, const at::Tensor& bias,
                   const at::Tensor& mask) {
  at::Tensor scores =
      at::matmul(parts[0] * Scale(parts), parts[1].transpose(-2, -1)) + bias;
  if (mask.defined()) scores = scores + mask;
  return at::softmax(scores, -1);
}

at::Tensor Attend(const at::Tensor& parts, const at::Tensor& bias,
                  const at::Tensor& mask) {
  return at::matmul(Weights(parts, bias, mask), parts[2]);
}

at::Tensor AttendFused(const at::Tensor& parts, const at::Tensor& bias,
                       const at::Tensor& mask) {
  const int64_t batch = parts.size(1), windows = parts.size(2);
  // Fused kernels want four dimensions: windows of all images are one batch.
  const at::Tensor all = parts.flatten(1, 2);
  at::Tensor bias_and_mask = bias.unsqueeze(0);
  if (mask.defined()) {
    bias_and_mask = bias_and_mask + mask;  // [n, M, T, T]
    if (batch > 1) {
      bias_and_mask = bias_and_mask.unsqueeze(0)
                          .expand({batch, -1, -1, -1, -1})
                          .flatten(0, 1);
    }
  }
  return at::scaled_dot_product_attention(all[0], all[1], all[2], bias_and_mask)
      .unflatten(0, {batch, windows});
}

// All that is the same whatever `attention` is.
at::Tensor InWindows(Attention attention, const at::Tensor& qkv,
                     const at::Tensor& padding, const at::Tensor& position_bias,
                     int64_t window, int64_t shift) {
  const Tiling tiling(qkv, window, shift);
  const at::Tensor parts =
      SplitHeads(tiling.Split(qkv, padding), 3, position_bias.size(0));
  const at::Tensor gathered =
      attention(parts, position_bias, tiling.Mask(qkv.options()));
  return tiling.Join(JoinHeads(gathered.unsqueeze(0)))
      .narrow(1, 0, qkv.size(1))
      .narrow(2, 0, qkv.size(2));
}

}  // namespace

at::Tensor ComposedWindowAttention(const at::Tensor& qkv,
                                   const at::Tensor& padding,
                                   const at::Tensor& position_bias,
                                   int64_t window, int64_t shift) {
  return InWindows(Attend, qkv, padding, position_bias, window, shift);
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> ComposedWindowAttentionBackward(
    const at::Tensor& grad_output, const at::Tensor& qkv,
    const at::Tensor& padding, const at::Tensor& position_bias, int64_t window,
    int64_t shift) {
  const int64_t heads = position_bias.size(0);
  const Tiling tiling(qkv, window, shift);
  const at::Tensor parts = SplitHeads(tiling.Split(qkv, padding), 3, heads);
  const at::Tensor weights =
      Weights(parts, position_bias, tiling.Mask(qkv.options()));
  // What padded positions gather is cut off.
  const at::Tensor grad_gathered = SplitHeads(
      tiling.Split(grad_output,
                   at::zeros({grad_output.size(3)}, grad_output.options())),
      1, heads)[0];
  const at::Tensor grad_scores = at::_softmax_backward_data(
      at::matmul(grad_gathered, parts[2].transpose(-2, -1)), weights, -1,
      qkv.scalar_type());
  const double scale = Scale(parts);
  const at::Tensor grad_parts =
      at::stack({at::matmul(grad_scores, parts[1]) * scale,
                 at::matmul(grad_scores.transpose(-2, -1), parts[0]) * scale,
                 at::matmul(weights.transpose(-2, -1), grad_gathered)});
  const at::Tensor grad_map = tiling.Join(JoinHeads(grad_parts));
  const int64_t height = qkv.size(1), width = qkv.size(2);
  const at::Tensor grad_rows = grad_map.narrow(1, 0, height);
  const at::Tensor right = grad_rows.narrow(2, width, tiling.width - width);
  const at::Tensor below = grad_map.narrow(1, height, tiling.height - height);
  return {grad_rows.narrow(2, 0, width).contiguous(),
          at::sum(right, {0, 1, 2}) + at::sum(below, {0, 1, 2}),
          at::sum(grad_scores.flatten(0, 1), 0, /*keepdim=*/false)};
}

at::Tensor SdpaWindowAttention(const at::Tensor& qkv, const at::Tensor& padding,
                               const at::Tensor& position_bias, int64_t window,
                               int64_t shift) {
  constexpr int64_t kMaxWindows = 65535;
  const Tiling tiling(qkv, window, shift);
  const int64_t windows =
      qkv.size(0) * (tiling.height / window) * (tiling.width / window);
  return InWindows(windows <= kMaxWindows ? AttendFused : Attend, qkv, padding,
                   position_bias, window, shift);
}

}  // namespace mask2former::ops
