#include "mask2former/model/row_resizer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <algorithm>
#include <utility>

namespace mask2former {
namespace {

// [N, m, w] -> [N, m, width]; the rows stay as they are.
at::Tensor ResizeColumns(const at::Tensor& maps, int64_t width) {
  if (maps.size(2) == width) return maps;
  return at::upsample_bilinear2d(maps.unsqueeze(0), {maps.size(1), width},
                                 /*align_corners=*/false)
      .squeeze(0);
}

}  // namespace

RowResizer::Taps RowResizer::MakeTaps(const std::vector<BilinearTap>& taps,
                                      const at::Device& device) {
  std::vector<int64_t> first, second;
  std::vector<float> weight;
  for (const BilinearTap& tap : taps) {
    first.push_back(tap.first);
    second.push_back(tap.second);
    weight.push_back(tap.weight);
  }
  return {at::tensor(first, at::kLong).to(device),
          at::tensor(second, at::kLong).to(device),
          at::tensor(weight, at::kFloat).to(device).unsqueeze(1)};
}

RowResizer::RowResizer(const ImageSize& map, const ImageSize& padded,
                       const ImageSize& image, const ImageSize& output,
                       const at::Device& device)
    : padded_(padded),
      image_(image),
      output_(output),
      to_padded_(MakeTaps(MakeBilinearTaps(map.height, padded.height), device)),
      output_taps_(MakeBilinearTaps(image.height, output.height)),
      to_output_(MakeTaps(output_taps_, device)) {}

at::Tensor RowResizer::Interpolate(const at::Tensor& maps, const Taps& taps,
                                   int64_t begin, int64_t count,
                                   int64_t origin) {
  const at::Tensor first = taps.first.narrow(0, begin, count) - origin;
  const at::Tensor second = taps.second.narrow(0, begin, count) - origin;
  return at::lerp(maps.index_select(1, first), maps.index_select(1, second),
                  taps.weight.narrow(0, begin, count));
}

at::Tensor RowResizer::ImageRows(const at::Tensor& maps, int64_t begin,
                                 int64_t count) const {
  return ResizeColumns(
             Interpolate(maps, to_padded_, begin, count, /*origin=*/0),
             padded_.width)
      .narrow(2, 0, image_.width);
}

at::Tensor RowResizer::Rows(const at::Tensor& maps, int64_t begin,
                            int64_t count, const Change& change) const {
  const bool same_size = image_ == output_;
  const int64_t first = same_size ? begin : output_taps_[begin].first;
  const int64_t last =
      same_size ? begin + count - 1 : output_taps_[begin + count - 1].second;
  at::Tensor rows = ImageRows(maps, first, last - first + 1);
  if (change) rows = change(std::move(rows));
  if (same_size) return rows;
  return ResizeColumns(Interpolate(rows, to_output_, begin, count, first),
                       output_.width);
}

int64_t RowResizer::RowsWithin(int64_t bytes, int64_t maps) const {
  const int64_t width = std::max(padded_.width, output_.width);
  // Image rows that an output row needs.
  const int64_t rows = std::max<int64_t>(
      1, (image_.height + output_.height - 1) / output_.height);
  const int64_t row_bytes =
      maps * width * rows * static_cast<int64_t>(sizeof(float));
  return std::clamp<int64_t>(bytes / row_bytes, 1, output_.height);
}

}  // namespace mask2former
