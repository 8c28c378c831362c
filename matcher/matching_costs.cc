#include "mask2former/matcher/matching_costs.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/softplus.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "mask2former/common/tensor_shape.h"

namespace mask2former {
namespace {

at::ScalarType CostType(const at::Tensor& logits) {
  return logits.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
}

// Sums of softplus(x) over the columns of x [Q, T], given s = sigmoid(x);
// [Q, 1].
//
// softplus(x) = max(x, 0) - log(max(s, 1 - s)): the logarithms of a block of
// numbers in 0.5 .. 1 are one logarithm of their product.
at::Tensor SumSoftplus(const at::Tensor& x_in, const at::Tensor& s_in) {
  if (!x_in.is_cpu() || x_in.scalar_type() != at::kFloat) {
    return at::softplus(x_in).sum(1, /*keepdim=*/true);
  }
  constexpr int64_t kLanes = 16;  // Independent, so that they vectorise.
  constexpr int64_t kBlock = 64;  // 2^-64 is far from underflow.
  const at::Tensor x = x_in.contiguous();
  const at::Tensor s = s_in.contiguous();
  const int64_t columns = x.size(1);
  at::Tensor result = at::empty({x.size(0), 1}, x.options());
  const float* const x_data = x.const_data_ptr<float>();
  const float* const s_data = s.const_data_ptr<float>();
  float* const result_data = result.mutable_data_ptr<float>();
  at::parallel_for(0, x.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      double sum = 0;
      for (int64_t first = 0; first < columns; first += kLanes * kBlock) {
        const int64_t count = std::min(kLanes * kBlock, columns - first);
        const float* const xs = x_data + row * columns + first;
        const float* const ss = s_data + row * columns + first;
        float positive[kLanes] = {};
        float product[kLanes];
        std::fill(product, product + kLanes, 1.f);
        const int64_t whole = count / kLanes * kLanes;
        for (int64_t i = 0; i < whole; i += kLanes) {
          for (int64_t k = 0; k < kLanes; ++k) {
            positive[k] += std::max(xs[i + k], 0.f);
            product[k] *= std::max(ss[i + k], 1 - ss[i + k]);
          }
        }
        for (int64_t i = whole; i < count; ++i) {
          positive[i - whole] += std::max(xs[i], 0.f);
          product[i - whole] *= std::max(ss[i], 1 - ss[i]);
        }
        for (int64_t k = 0; k < kLanes; ++k) {
          sum += positive[k] - std::log(static_cast<double>(product[k]));
        }
      }
      result_data[row] = static_cast<float>(sum);
    }
  });
  return result;
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
      (SumSoftplus(x, s) - at::mm(x, t.t())) / num_points;
  const at::Tensor dice =
      1 - (2 * at::mm(s, t.t()) + 1) /
              (s.sum(1, /*keepdim=*/true) + t.sum(1).unsqueeze(0) + 1);
  return {cross_entropy, dice};
}

}  // namespace mask2former
