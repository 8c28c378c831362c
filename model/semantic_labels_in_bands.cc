#include "mask2former/model/semantic_labels_in_bands.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <vector>

#include "mask2former/model/bilinear_taps.h"

namespace mask2former {
namespace {

constexpr int64_t kBandBytes = 10 << 20;

// Interpolation along one axis, on a device.
struct Axis {
  at::Tensor first, second;  // [to] int64
  at::Tensor weight;         // [to] float

  Axis Rows(int64_t begin, int64_t count) const {
    return {first.narrow(0, begin, count), second.narrow(0, begin, count),
            weight.narrow(0, begin, count)};
  }

  // The interpolation at these of its pixels.
  Axis At(const at::Tensor& pixels) const {
    return {first.index_select(0, pixels), second.index_select(0, pixels),
            weight.index_select(0, pixels)};
  }

  // maps [N, from, W] -> [N, to, W]
  at::Tensor OnRows(const at::Tensor& maps) const {
    return at::lerp(maps.index_select(1, first), maps.index_select(1, second),
                    weight.view({1, -1, 1}));
  }

  // maps [N, H, from] -> [N, H, to]
  at::Tensor OnColumns(const at::Tensor& maps) const {
    return at::lerp(maps.index_select(2, first), maps.index_select(2, second),
                    weight);
  }
};

Axis MakeAxis(int64_t from, int64_t to, int64_t used,
              const at::Device& device) {
  std::vector<int64_t> first, second;
  std::vector<float> weight;
  const std::vector<BilinearTap> taps = MakeBilinearTaps(from, to);
  for (int64_t i = 0; i < used; ++i) {
    first.push_back(taps[i].first);
    second.push_back(taps[i].second);
    weight.push_back(taps[i].weight);
  }
  return {at::tensor(first, at::kLong).to(device),
          at::tensor(second, at::kLong).to(device),
          at::tensor(weight, at::kFloat).to(device)};
}

}  // namespace

at::Tensor SemanticLabelsInBands(const MaskPrediction& prediction,
                                 int64_t index, const ImageSize& padded,
                                 const ImageSize& image,
                                 const ImageSize& output,
                                 bool resize_before_scores) {
  const at::NoGradGuard no_grad;
  const at::Tensor masks = prediction.mask_logits[index].to(at::kFloat);
  const at::Tensor all =
      at::softmax(prediction.class_logits[index].to(at::kFloat), -1);
  // [K, Q]
  const at::Tensor probabilities =
      all.narrow(-1, 0, all.size(-1) - 1).t().contiguous();
  const at::Device device = masks.device();
  const Axis rows =
      MakeAxis(masks.size(1), padded.height, image.height, device);
  const Axis columns =
      MakeAxis(masks.size(2), padded.width, image.width, device);
  const Axis output_rows =
      MakeAxis(image.height, output.height, output.height, device);
  const Axis output_columns =
      MakeAxis(image.width, output.width, output.width, device);
  const bool same_size = image == output;

  // logits [Q, n, W] -> scores [K, n, W]
  const auto scores_of = [&](at::Tensor logits) {
    logits.sigmoid_();
    return at::mm(probabilities, logits.flatten(1))
        .view({probabilities.size(0), logits.size(1), logits.size(2)});
  };
  const int64_t row_bytes = masks.size(0) *
                            static_cast<int64_t>(sizeof(float)) *
                            std::max(image.width, output.width);
  const int64_t at_once = std::max<int64_t>(1, kBandBytes / row_bytes);
  const at::Tensor labels = at::empty({output.height, output.width},
                                      masks.options().dtype(at::kByte));
  for (int64_t y = 0; y < output.height; y += at_once) {
    const int64_t count = std::min(at_once, output.height - y);
    at::Tensor scores;
    if (same_size) {
      scores = scores_of(columns.OnColumns(rows.Rows(y, count).OnRows(masks)));
    } else {
      const Axis band = output_rows.Rows(y, count);
      const auto at_rows = [&](const at::Tensor& image_rows) {
        return rows.At(image_rows).OnRows(masks);
      };
      if (resize_before_scores) {
        const at::Tensor logits =
            at::lerp(at_rows(band.first), at_rows(band.second),
                     band.weight.view({1, -1, 1}));
        scores = scores_of(output_columns.OnColumns(columns.OnColumns(logits)));
      } else {
        const at::Tensor resized =
            at::lerp(scores_of(columns.OnColumns(at_rows(band.first))),
                     scores_of(columns.OnColumns(at_rows(band.second))),
                     band.weight.view({1, -1, 1}));
        scores = output_columns.OnColumns(resized);
      }
    }
    labels.narrow(0, y, count).copy_(scores.argmax(0));
  }
  return labels;
}

}  // namespace mask2former
