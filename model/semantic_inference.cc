#include "mask2former/model/semantic_inference.h"

#include <ATen/ops/addmm.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "mask2former/model/resize_maps.h"

namespace mask2former {
namespace {

constexpr int64_t kQueriesAtOnce = 16;

// Adds what the queries' `masks` say to `scores`, [K, H * W].
//
//   probabilities  [q, K], masks [q, H, W] logits
void Accumulate(const at::Tensor& probabilities, const at::Tensor& masks,
                at::Tensor& scores) {
  // [K, q] x [q, H * W] -> [K, H * W]
  scores.addmm_(probabilities.t(), masks.sigmoid().flatten(1));
}

// [Q, K + 1] -> [Q, K]
at::Tensor ClassProbabilities(const at::Tensor& class_logits) {
  const at::Tensor all = at::softmax(class_logits.to(at::kFloat), -1);
  return all.narrow(-1, 0, all.size(-1) - 1);
}

}  // namespace

at::Tensor SemanticInference(const MaskPrediction& prediction, int64_t index,
                             const ImageSize& padded, const ImageSize& image,
                             const ImageSize& output,
                             bool resize_before_scores) {
  const at::Tensor probabilities =
      ClassProbabilities(prediction.class_logits[index]);
  const at::Tensor masks = prediction.mask_logits[index].to(at::kFloat);
  const ImageSize& size = resize_before_scores ? output : padded;
  at::Tensor scores =
      at::zeros({probabilities.size(1), size.height * size.width},
                probabilities.options());
  for (int64_t q = 0; q < masks.size(0); q += kQueriesAtOnce) {
    const int64_t count = std::min(kQueriesAtOnce, masks.size(0) - q);
    at::Tensor group = ResizeMaps(masks.narrow(0, q, count), padded);
    if (resize_before_scores) {
      group = ResizeMaps(CropMaps(group, image), output);
    }
    Accumulate(probabilities.narrow(0, q, count), group, scores);
  }
  scores = scores.view({-1, size.height, size.width});
  if (resize_before_scores) return scores;
  return ResizeMaps(CropMaps(scores, image), output).contiguous();
}

}  // namespace mask2former
