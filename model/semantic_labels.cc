#include "mask2former/model/semantic_labels.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "mask2former/model/semantic_inference.h"

namespace mask2former {
namespace {

// Bytes of upsampled masks at once; with the scores it fits a second level
// cache.
constexpr int64_t kTileBytes = 1 << 20;

// Where bilinear interpolation to one pixel reads: (1 - weight) * map[first] +
// weight * map[second].
struct Tap {
  int32_t first;
  int32_t second;
  float weight;
};

// Of each pixel along an axis that is stretched from `from` to `to` pixels with
// half-pixel centres; the outermost pixels are repeated.
std::vector<Tap> MakeTaps(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  std::vector<Tap> taps(to);
  for (int64_t i = 0; i < to; ++i) {
    const double at = std::max((i + 0.5) * scale - 0.5, 0.);
    const int32_t first = static_cast<int32_t>(at);
    const int32_t last = static_cast<int32_t>(from - 1);
    taps[i] = {first, std::min(first + 1, last),
               static_cast<float>(at - first)};
  }
  return taps;
}

// out[x] between two rows of a map.
void BlendRows(const float* first, const float* second, float weight,
               int64_t width, float* __restrict out) {
#pragma omp simd
  for (int64_t x = 0; x < width; ++x) {
    out[x] = first[x] + weight * (second[x] - first[x]);
  }
}

void StretchRow(const float* row, const Tap* taps, int64_t begin, int64_t end,
                float* out) {
  for (int64_t x = begin; x < end; ++x) {
    const float first = row[taps[x].first];
    out[x] = first + taps[x].weight * (row[taps[x].second] - first);
  }
}

// StretchRow() by exactly 4, the network's case, without the outermost two
// pixels on either side. Four neighbours share three values.
//
//   row  [width]; out [4 * width]
void StretchRowBy4(const float* row, int64_t width, float* out) {
  using Float4 = float __attribute__((vector_size(16), aligned(4)));
  const Float4 weight = {0.125f, 0.375f, 0.625f, 0.875f};
  for (int64_t x = 0; x + 1 < width; ++x) {
    const float first = row[x], step = row[x + 1] - first;
    *reinterpret_cast<Float4*>(out + 4 * x + 2) = first + weight * step;
  }
}

// The index of the largest of K values at each pixel.
//
//   scores [K, pixels], best [pixels] scratch
void ArgMax(const float* scores, int64_t classes, int64_t pixels,
            float* __restrict best, int32_t* __restrict index,
            uint8_t* __restrict labels) {
  std::copy(scores, scores + pixels, best);
  std::fill(index, index + pixels, 0);
  for (int32_t c = 1; c < classes; ++c) {
    const float* const row = scores + c * pixels;
#pragma omp simd
    for (int64_t i = 0; i < pixels; ++i) {
      const bool better = row[i] > best[i];
      index[i] = better ? c : index[i];
      best[i] = better ? row[i] : best[i];
    }
  }
  for (int64_t i = 0; i < pixels; ++i) {
    labels[i] = static_cast<uint8_t>(index[i]);
  }
}

// Labels of one image on the CPU.
class FusedLabels {
 public:
  //   probabilities  [K, Q], masks [Q, h, w], both float and contiguous
  FusedLabels(at::Tensor probabilities, at::Tensor masks,
              const ImageSize& padded, const ImageSize& image)
      : probabilities_(std::move(probabilities)),
        masks_(std::move(masks)),
        rows_(MakeTaps(masks_.size(1), padded.height)),
        columns_(MakeTaps(masks_.size(2), padded.width)),
        by_4_(padded.width == 4 * masks_.size(2) &&
              image.width == padded.width),
        image_(image) {}

  at::Tensor Run() const {
    const at::Tensor labels =
        at::empty({image_.height, image_.width}, at::kByte);
    const int64_t row_bytes =
        masks_.size(0) * image_.width * static_cast<int64_t>(sizeof(float));
    const int64_t rows_at_once =
        std::max<int64_t>(1, kTileBytes / std::max<int64_t>(row_bytes, 1));
    at::parallel_for(
        0, image_.height, rows_at_once, [&](int64_t begin, int64_t end) {
          RunRows(begin, end, rows_at_once, labels.data_ptr<uint8_t>());
        });
    return labels;
  }

 private:
  void RunRows(int64_t begin, int64_t end, int64_t rows_at_once,
               uint8_t* labels) const {
    // The tensors here are scratch; grad mode is another in each thread.
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    const int64_t queries = masks_.size(0), classes = probabilities_.size(0);
    const int64_t most_pixels = rows_at_once * image_.width;
    at::Tensor tile = at::empty({queries * most_pixels}, at::kFloat);
    at::Tensor scores = at::empty({classes * most_pixels}, at::kFloat);
    std::vector<float> blended(masks_.size(2)), best(most_pixels);
    std::vector<int32_t> index(most_pixels);
    for (int64_t y = begin; y < end; y += rows_at_once) {
      const int64_t count = std::min(rows_at_once, end - y);
      const int64_t pixels = count * image_.width;
      Upsample(y, count, blended.data(), tile.data_ptr<float>());
      const at::Tensor masks =
          tile.narrow(0, 0, queries * pixels).view({queries, pixels});
      masks.sigmoid_();
      at::Tensor sums =
          scores.narrow(0, 0, classes * pixels).view({classes, pixels});
      at::mm_out(sums, probabilities_, masks);
      ArgMax(sums.data_ptr<float>(), classes, pixels, best.data(), index.data(),
             labels + y * image_.width);
    }
  }

  // Rows y .. y + count - 1 of all masks -> tile [Q, count, image width]
  void Upsample(int64_t y, int64_t count, float* blended, float* tile) const {
    const int64_t height = masks_.size(1), width = masks_.size(2);
    for (int64_t q = 0; q < masks_.size(0); ++q) {
      const float* const mask = masks_.data_ptr<float>() + q * height * width;
      for (int64_t row = y; row < y + count; ++row, tile += image_.width) {
        const Tap& tap = rows_[row];
        BlendRows(mask + tap.first * width, mask + tap.second * width,
                  tap.weight, width, blended);
        if (by_4_) {
          StretchRowBy4(blended, width, tile);
          StretchRow(blended, columns_.data(), 0, 2, tile);
          StretchRow(blended, columns_.data(), image_.width - 2, image_.width,
                     tile);
        } else {
          StretchRow(blended, columns_.data(), 0, image_.width, tile);
        }
      }
    }
  }

  const at::Tensor probabilities_;
  const at::Tensor masks_;
  const std::vector<Tap> rows_;
  const std::vector<Tap> columns_;
  const bool by_4_;
  const ImageSize image_;
};

}  // namespace

at::Tensor SemanticLabels(const MaskPrediction& prediction, int64_t index,
                          const ImageSize& padded, const ImageSize& image,
                          const ImageSize& output, bool resize_before_scores) {
  const int64_t classes = prediction.class_logits.size(-1) - 1;
  TORCH_CHECK(classes >= 1 && classes <= 256,
              "labels are bytes: from 1 to 256 classes, got ", classes);
  const bool same_size =
      output.height == image.height && output.width == image.width;
  if (!same_size || !prediction.mask_logits.is_cpu()) {
    return std::get<1>(SemanticInference(prediction, index, padded, image,
                                         output, resize_before_scores)
                           .max(0))
        .to(at::kByte);
  }
  const at::Tensor all =
      at::softmax(prediction.class_logits[index].detach().to(at::kFloat), -1);
  return FusedLabels(
             all.narrow(-1, 0, classes).t().contiguous(),
             prediction.mask_logits[index].detach().to(at::kFloat).contiguous(),
             padded, image)
      .Run();
}

}  // namespace mask2former
