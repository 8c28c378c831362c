#include "mask2former/train/criterion/uncertain_points.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/topk.h>

#include <tuple>

#include "mask2former/common/point_sample.h"

namespace mask2former {

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
  const at::Tensor nearest = std::get<1>(
      at::topk(distance, uncertain, 1, /*largest=*/false, /*sorted=*/false));
  const at::Tensor chosen =
      drawn.gather(1, nearest.unsqueeze(2).expand({-1, -1, 2}));
  if (uncertain == options.num_points) return chosen;
  const at::Tensor uniform =
      points.Draw(rows.size(0), options.num_points - uncertain);
  return at::cat({chosen, uniform.to(logits.device())}, 1);
}

}  // namespace mask2former
