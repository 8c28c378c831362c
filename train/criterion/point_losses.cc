#include "mask2former/train/criterion/point_losses.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/binary_cross_entropy_with_logits.h>
#include <ATen/ops/sigmoid.h>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {

at::Tensor CrossEntropyOfPoints(const at::Tensor& logits,
                                const at::Tensor& labels) {
  CheckShape(logits, "logits", {kAny, kAny});
  CheckShape(labels, "labels", logits.sizes());
  return at::binary_cross_entropy_with_logits(logits, labels, /*weight=*/{},
                                              /*pos_weight=*/{},
                                              at::Reduction::None)
      .mean(1)
      .sum();
}

at::Tensor DiceOfPoints(const at::Tensor& logits, const at::Tensor& labels) {
  CheckShape(logits, "logits", {kAny, kAny});
  CheckShape(labels, "labels", logits.sizes());
  const at::Tensor s = at::sigmoid(logits);
  const at::Tensor dice = 1 - (2 * (s * labels).sum(1) + 1) /
                                  (s.sum(1) + labels.sum(1) + 1);  // [n]
  return dice.sum();
}

}  // namespace mask2former
