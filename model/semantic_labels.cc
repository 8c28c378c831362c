#include "mask2former/model/semantic_labels.h"

#include <ATen/Parallel.h>
#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/softmax.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "mask2former/model/bilinear_taps.h"
#include "mask2former/model/semantic_labels_in_bands.h"

namespace mask2former {
namespace {

// Bytes of upsampled masks at once; with the scores it fits a second level
// cache.
constexpr int64_t kTileBytes = 1 << 20;
// Rows of labels that a thread makes at least, where neighbours share work.
constexpr int64_t kRowsOfAThread = 16;

using Taps = std::vector<BilinearTap>;

// out[x] between two rows of a map.
void BlendRows(const float* first, const float* second, float weight,
               int64_t width, float* __restrict out) {
#pragma omp simd
  for (int64_t x = 0; x < width; ++x) {
    out[x] = first[x] + weight * (second[x] - first[x]);
  }
}

void StretchRow(const float* row, const BilinearTap* taps, int64_t begin,
                int64_t end, float* out) {
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

// Labels of one image on the CPU, row by row.
class FusedLabels {
 public:
  //   probabilities  [K, Q], masks [Q, h, w], both float and contiguous
  FusedLabels(at::Tensor probabilities, at::Tensor masks,
              const ImageSize& padded, const ImageSize& image,
              const ImageSize& output)
      : probabilities_(std::move(probabilities)),
        masks_(std::move(masks)),
        rows_(MakeBilinearTaps(masks_.size(1), padded.height)),
        columns_(MakeBilinearTaps(masks_.size(2), padded.width)),
        output_rows_(MakeBilinearTaps(image.height, output.height)),
        output_columns_(MakeBilinearTaps(image.width, output.width)),
        by_4_(padded.width == 4 * masks_.size(2) &&
              image.width == padded.width),
        same_size_(image == output),
        image_(image),
        output_(output) {}

  at::Tensor Run(bool resize_before_scores) const {
    const at::Tensor labels =
        at::empty({output_.height, output_.width}, at::kByte);
    auto* const to = labels.data_ptr<uint8_t>();
    if (same_size_ || resize_before_scores) {
      const int64_t row_bytes =
          queries() * output_.width * static_cast<int64_t>(sizeof(float));
      const int64_t at_once =
          std::max<int64_t>(1, kTileBytes / std::max<int64_t>(row_bytes, 1));
      at::parallel_for(0, output_.height, at_once,
                       [&](int64_t begin, int64_t end) {
                         LabelRows(begin, end, at_once, to);
                       });
    } else {
      at::parallel_for(0, output_.height, kRowsOfAThread,
                       [&](int64_t begin, int64_t end) {
                         LabelRowsBetweenScores(begin, end, to);
                       });
    }
    return labels;
  }

 private:
  int64_t queries() const { return masks_.size(0); }
  int64_t classes() const { return probabilities_.size(0); }

  // Logits are brought to the output's size, then become scores.
  void LabelRows(int64_t begin, int64_t end, int64_t at_once,
                 uint8_t* labels) const {
    // The tensors here are scratch; grad mode is another in each thread.
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    const int64_t most_pixels = at_once * output_.width;
    at::Tensor tile = at::empty({queries() * most_pixels}, at::kFloat);
    at::Tensor scores = at::empty({classes() * most_pixels}, at::kFloat);
    Scratch scratch = MakeScratch();
    std::vector<float> best(most_pixels);
    std::vector<int32_t> index(most_pixels);
    for (int64_t y = begin; y < end; y += at_once) {
      const int64_t count = std::min(at_once, end - y);
      const int64_t pixels = count * output_.width;
      float* row = tile.data_ptr<float>();
      for (int64_t q = 0; q < queries(); ++q) {
        for (int64_t i = 0; i < count; ++i, row += output_.width) {
          if (same_size_) {
            ImageRow(q, y + i, scratch, row);
          } else {
            OutputRow(q, y + i, scratch, row);
          }
        }
      }
      const at::Tensor masks =
          tile.narrow(0, 0, queries() * pixels).view({queries(), pixels});
      masks.sigmoid_();
      at::Tensor sums =
          scores.narrow(0, 0, classes() * pixels).view({classes(), pixels});
      at::mm_out(sums, probabilities_, masks);
      ArgMax(sums.data_ptr<float>(), classes(), pixels, best.data(),
             index.data(), labels + y * output_.width);
    }
  }

  // Logits are brought to the image's size and become scores, which are brought
  // to the output's.
  void LabelRowsBetweenScores(int64_t begin, int64_t end,
                              uint8_t* labels) const {
    const at::AutoDispatchBelowADInplaceOrView no_autograd;
    const at::Tensor tile = at::empty({queries(), image_.width}, at::kFloat);
    // The scores of the two rows of the image that were needed last.
    struct ScoreRow {
      int64_t y = -1;
      at::Tensor scores;  // [K, image width]
    };
    std::array<ScoreRow, 2> cache;
    for (ScoreRow& row : cache) {
      row.scores = at::empty({classes(), image_.width}, at::kFloat);
    }
    Scratch scratch = MakeScratch();
    // The row `y`, in place of the one that is not `other`.
    const auto scores_of = [&](int64_t y, int64_t other) {
      for (const ScoreRow& row : cache) {
        if (row.y == y) return row.scores.data_ptr<float>();
      }
      ScoreRow& row = cache[cache[0].y == other ? 1 : 0];
      row.y = y;
      for (int64_t q = 0; q < queries(); ++q) {
        ImageRow(q, y, scratch, tile.data_ptr<float>() + q * image_.width);
      }
      tile.sigmoid_();
      at::mm_out(row.scores, probabilities_, tile);
      return row.scores.data_ptr<float>();
    };
    std::vector<float> line(image_.width);
    std::vector<float> scores(classes() * output_.width), best(output_.width);
    std::vector<int32_t> index(output_.width);
    for (int64_t y = begin; y < end; ++y) {
      const BilinearTap& tap = output_rows_[y];
      const float* const first = scores_of(tap.first, tap.second);
      const float* const second = scores_of(tap.second, tap.first);
      for (int64_t c = 0; c < classes(); ++c) {
        BlendRows(first + c * image_.width, second + c * image_.width,
                  tap.weight, image_.width, line.data());
        StretchRow(line.data(), output_columns_.data(), 0, output_.width,
                   scores.data() + c * output_.width);
      }
      ArgMax(scores.data(), classes(), output_.width, best.data(), index.data(),
             labels + y * output_.width);
    }
  }

  struct Scratch {
    std::vector<float> first, second, blended;  // [mask width]
    std::vector<float> image;                   // [image width]
  };

  Scratch MakeScratch() const {
    Scratch scratch;
    scratch.first.resize(masks_.size(2));
    scratch.second.resize(masks_.size(2));
    scratch.blended.resize(masks_.size(2));
    scratch.image.resize(image_.width);
    return scratch;
  }

  // Row y of mask q at the padded size, before its columns are stretched.
  void PaddedRow(int64_t q, int64_t y, float* out) const {
    const int64_t height = masks_.size(1), width = masks_.size(2);
    const float* const mask = masks_.data_ptr<float>() + q * height * width;
    const BilinearTap& tap = rows_[y];
    BlendRows(mask + tap.first * width, mask + tap.second * width, tap.weight,
              width, out);
  }

  // [mask width] -> [image width]
  void StretchToImage(const float* row, float* out) const {
    if (by_4_) {
      StretchRowBy4(row, masks_.size(2), out);
      StretchRow(row, columns_.data(), 0, 2, out);
      StretchRow(row, columns_.data(), image_.width - 2, image_.width, out);
    } else {
      StretchRow(row, columns_.data(), 0, image_.width, out);
    }
  }

  // Row y of mask q at the image's size.
  void ImageRow(int64_t q, int64_t y, Scratch& scratch, float* out) const {
    PaddedRow(q, y, scratch.first.data());
    StretchToImage(scratch.first.data(), out);
  }

  // And at the output's.
  void OutputRow(int64_t q, int64_t y, Scratch& scratch, float* out) const {
    const BilinearTap& tap = output_rows_[y];
    PaddedRow(q, tap.first, scratch.first.data());
    PaddedRow(q, tap.second, scratch.second.data());
    BlendRows(scratch.first.data(), scratch.second.data(), tap.weight,
              masks_.size(2), scratch.blended.data());
    StretchToImage(scratch.blended.data(), scratch.image.data());
    StretchRow(scratch.image.data(), output_columns_.data(), 0, output_.width,
               out);
  }

  const at::Tensor probabilities_;
  const at::Tensor masks_;
  const Taps rows_;            // Mask to padded,
  const Taps columns_;         // the same,
  const Taps output_rows_;     // image to output,
  const Taps output_columns_;  // the same.
  const bool by_4_;
  const bool same_size_;
  const ImageSize image_;
  const ImageSize output_;
};

}  // namespace

at::Tensor SemanticLabels(const MaskPrediction& prediction, int64_t index,
                          const ImageSize& padded, const ImageSize& image,
                          const ImageSize& output, bool resize_before_scores) {
  const int64_t classes = prediction.class_logits.size(-1) - 1;
  TORCH_CHECK(classes >= 1 && classes <= 256,
              "labels are bytes: from 1 to 256 classes, got ", classes);
  if (!prediction.mask_logits.is_cpu()) {
    return SemanticLabelsInBands(prediction, index, padded, image, output,
                                 resize_before_scores);
  }
  const at::Tensor all =
      at::softmax(prediction.class_logits[index].detach().to(at::kFloat), -1);
  return FusedLabels(
             all.narrow(-1, 0, classes).t().contiguous(),
             prediction.mask_logits[index].detach().to(at::kFloat).contiguous(),
             padded, image, output)
      .Run(resize_before_scores);
}

}  // namespace mask2former
