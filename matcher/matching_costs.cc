#include "mask2former/matcher/matching_costs.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <cstdint>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

at::ScalarType CostType(const at::Tensor& logits) {
  return logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

}  // namespace

at::Tensor ClassCost(const at::Tensor& class_logits, const at::Tensor& labels) {
  CheckShape(class_logits, "class_logits", {kAny, kAny});
  CheckShape(labels, "labels", {kAny});
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(
      c10::autocast_dispatch_keyset);
  return -at::softmax(class_logits, -1, CostType(class_logits))
              .index_select(1, labels.to(class_logits.device()));
}

MaskCosts ComputeMaskCosts(const at::Tensor& point_logits,
                           const at::Tensor& point_labels) {
  CheckShape(point_logits, "point_logits", {kAny, kAny});
  CheckShape(point_labels, "point_labels", {kAny, point_logits.size(1)});
  const c10::impl::ExcludeDispatchKeyGuard no_autocast(
      c10::autocast_dispatch_keyset);
  const at::Tensor x = point_logits.to(CostType(point_logits));
  const at::Tensor t = point_labels.to(x.scalar_type());
  const int64_t num_points = x.size(1);
  const at::Tensor s = at::sigmoid(x);
  // [Q, T] x [T, N] -> [Q, N]
  const at::Tensor cross_entropy =
      (at::softplus(x).sum(1, /*keepdim=*/true) - at::mm(x, t.t())) /
      num_points;
  const at::Tensor dice =
      1 - (2 * at::mm(s, t.t()) + 1) /
              (s.sum(1, /*keepdim=*/true) + t.sum(1).unsqueeze(0) + 1);
  return {cross_entropy, dice};
}

}  // namespace mask2former
