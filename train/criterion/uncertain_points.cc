#include "mask2former/train/criterion/uncertain_points.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/topk.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <vector>

#include "mask2former/common/point_sample.h"

namespace mask2former {
namespace {

// The `count` points of each row of `points` [n, t, 2] whose entries in
// `distance` [n, t] are least; [n, count, 2].
at::Tensor KeepNearest(const at::Tensor& points, const at::Tensor& distance,
                       int64_t count) {
  const at::Tensor nearest = std::get<1>(
      at::topk(distance, count, 1, /*largest=*/false, /*sorted=*/false));
  return points.gather(1, nearest.unsqueeze(2).expand({-1, -1, 2}));
}

// A number of a float that is not negative, in the same order; NaN is last.
uint32_t Rank(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// The rank that comes `count`-th (from 1) in ascending order. Looks closely at
// one bin of a histogram only.
uint32_t RankOf(const float* distance, int64_t size, int64_t count,
                std::vector<uint32_t>& scratch) {
  constexpr int kShift = 20;  // Sign, exponent and 3 bits of mantissa remain.
  std::array<int64_t, (uint32_t{1} << (32 - kShift))> histogram = {};
  for (int64_t i = 0; i < size; ++i) ++histogram[Rank(distance[i]) >> kShift];
  uint32_t bin = 0;
  while (count > histogram[bin]) count -= histogram[bin++];
  scratch.clear();
  for (int64_t i = 0; i < size; ++i) {
    const uint32_t rank = Rank(distance[i]);
    if (rank >> kShift == bin) scratch.push_back(rank);
  }
  std::nth_element(scratch.begin(), scratch.begin() + (count - 1),
                   scratch.end());
  return scratch[count - 1];
}

// KeepNearest() for float in host memory, several times faster; among equally
// near points it keeps the first.
at::Tensor KeepNearestOnHost(const at::Tensor& points_in,
                             const at::Tensor& distance_in, int64_t count) {
  const at::Tensor points = points_in.contiguous();
  const at::Tensor distance = distance_in.contiguous();
  const int64_t size = distance.size(1);
  at::Tensor result = at::empty({points.size(0), count, 2}, points.options());
  const float* const points_data = points.const_data_ptr<float>();
  const float* const distance_data = distance.const_data_ptr<float>();
  float* const result_data = result.mutable_data_ptr<float>();
  at::parallel_for(0, points.size(0), 1, [&](int64_t begin, int64_t end) {
    std::vector<uint32_t> scratch;
    for (int64_t row = begin; row < end; ++row) {
      const float* const d = distance_data + row * size;
      const float* const from = points_data + 2 * row * size;
      float* to = result_data + 2 * row * count;
      const uint32_t last = RankOf(d, size, count, scratch);
      int64_t ties = count;
      for (int64_t i = 0; i < size; ++i) ties -= Rank(d[i]) < last;
      for (int64_t i = 0; i < size; ++i) {
        const uint32_t rank = Rank(d[i]);
        if (rank > last || (rank == last && ties-- <= 0)) continue;
        to[0] = from[2 * i];
        to[1] = from[2 * i + 1];
        to += 2;
      }
    }
  });
  return result;
}

}  // namespace

at::Tensor SampleUncertainPoints(const at::Tensor& logits,
                                 const at::Tensor& rows,
                                 const UncertainPointsOptions& options,
                                 PointSource& points) {
  const at::NoGradGuard no_grad;
  const double total = static_cast<double>(options.num_points);
  const int64_t candidates =
      static_cast<int64_t>(total * options.oversample_ratio);
  const int64_t uncertain =
      static_cast<int64_t>(total * options.importance_sample_ratio);

  const at::Tensor drawn =
      points.Draw(rows.size(0), candidates).to(logits.device());
  const at::Tensor distance = PointSampleRows(logits, rows, drawn).abs();
  const bool on_host = uncertain > 0 && drawn.is_cpu() &&
                       drawn.scalar_type() == at::kFloat &&
                       distance.scalar_type() == at::kFloat;
  const at::Tensor chosen = on_host
                                ? KeepNearestOnHost(drawn, distance, uncertain)
                                : KeepNearest(drawn, distance, uncertain);
  if (uncertain == options.num_points) return chosen;
  const at::Tensor uniform =
      points.Draw(rows.size(0), options.num_points - uncertain);
  return at::cat({chosen, uniform.to(logits.device())}, 1);
}

}  // namespace mask2former
