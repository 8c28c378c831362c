#include "mask2former/model/semantic_labels_in_bands.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/softmax.h>

#include <algorithm>

#include "mask2former/model/row_resizer.h"

namespace mask2former {
namespace {

constexpr int64_t kBandBytes = 8 << 20;

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
  // logits [Q, n, W] -> scores [K, n, W]
  const RowResizer::Change scores_of = [&](at::Tensor logits) {
    logits.sigmoid_();
    return at::mm(probabilities, logits.flatten(1))
        .view({probabilities.size(0), logits.size(1), logits.size(2)});
  };
  const RowResizer resizer({masks.size(1), masks.size(2)}, padded, image,
                           output, masks.device());
  const int64_t at_once = resizer.RowsWithin(
      kBandBytes, std::max(masks.size(0), probabilities.size(0)));
  const at::Tensor labels = at::empty({output.height, output.width},
                                      masks.options().dtype(at::kByte));
  for (int64_t y = 0; y < output.height; y += at_once) {
    const int64_t count = std::min(at_once, output.height - y);
    const at::Tensor scores = resize_before_scores
                                  ? scores_of(resizer.Rows(masks, y, count))
                                  : resizer.Rows(masks, y, count, scores_of);
    labels.narrow(0, y, count).copy_(scores.argmax(0));
  }
  return labels;
}

}  // namespace mask2former
