#include "mask2former/backbone/ops/window_attention_reference.h"

#include <ATen/ops/zeros.h>

#include <cmath>
#include <vector>

namespace mask2former::ops {
namespace {

// One axis of the map.
struct Axis {
  int64_t size, padded, window, shift;

  Axis(int64_t size, int64_t window, int64_t shift)
      : size(size),
        padded((size + window - 1) / window * window),
        window(window),
        shift(shift) {}

  // Where a place of the padded map is after the roll.
  int64_t Rolled(int64_t place) const {
    return (place - shift + padded) % padded;
  }
  int64_t Original(int64_t rolled) const { return (rolled + shift) % padded; }
  // Which of the parts that were neighbours.
  int Band(int64_t rolled) const {
    if (shift == 0) return 0;
    if (rolled < padded - window) return 0;
    return rolled < padded - shift ? 1 : 2;
  }
};

}  // namespace

at::Tensor WindowAttentionReference(const at::Tensor& qkv_in,
                                    const at::Tensor& padding_in,
                                    const at::Tensor& position_bias,
                                    int64_t window, int64_t shift) {
  const at::Tensor qkv_double = qkv_in.to(at::kDouble);
  const at::Tensor padding_double = padding_in.to(at::kDouble);
  const at::Tensor bias_double = position_bias.to(at::kDouble);
  const auto qkv = qkv_double.accessor<double, 4>();
  const auto padding = padding_double.accessor<double, 1>();
  const auto bias = bias_double.accessor<double, 3>();
  const Axis rows(qkv.size(1), window, shift);
  const Axis columns(qkv.size(2), window, shift);
  const int64_t channels = qkv.size(3) / 3, heads = bias.size(0);
  const int64_t head_dim = channels / heads;
  at::Tensor output =
      at::zeros({qkv.size(0), rows.size, columns.size, channels}, at::kDouble);
  auto out = output.accessor<double, 4>();

  const auto value_at = [&](int64_t b, int64_t y, int64_t x, int64_t channel) {
    return y < rows.size && x < columns.size ? qkv[b][y][x][channel]
                                             : padding[channel];
  };
  for (int64_t b = 0; b < qkv.size(0); ++b) {
    for (int64_t y = 0; y < rows.size; ++y) {
      for (int64_t x = 0; x < columns.size; ++x) {
        const int64_t ry = rows.Rolled(y), rx = columns.Rolled(x);
        const int64_t top = ry / window * window, left = rx / window * window;
        for (int64_t head = 0; head < heads; ++head) {
          const int64_t first = head * head_dim;
          std::vector<double> weights;
          double sum = 0;
          for (int64_t ky = top; ky < top + window; ++ky) {
            for (int64_t kx = left; kx < left + window; ++kx) {
              double score = 0;
              for (int64_t d = first; d < first + head_dim; ++d) {
                score += qkv[b][y][x][d] * value_at(b, rows.Original(ky),
                                                    columns.Original(kx),
                                                    channels + d);
              }
              score /= std::sqrt(static_cast<double>(head_dim));
              score += bias[head][(ry - top) * window + rx - left]
                           [(ky - top) * window + kx - left];
              if (rows.Band(ry) != rows.Band(ky) ||
                  columns.Band(rx) != columns.Band(kx)) {
                score -= 100;
              }
              weights.push_back(std::exp(score));
              sum += weights.back();
            }
          }
          size_t k = 0;
          for (int64_t ky = top; ky < top + window; ++ky) {
            for (int64_t kx = left; kx < left + window; ++kx, ++k) {
              for (int64_t d = first; d < first + head_dim; ++d) {
                out[b][y][x][d] +=
                    weights[k] / sum *
                    value_at(b, rows.Original(ky), columns.Original(kx),
                             2 * channels + d);
              }
            }
          }
        }
      }
    }
  }
  return output;
}

}  // namespace mask2former::ops
