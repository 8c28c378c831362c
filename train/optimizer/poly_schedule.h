#ifndef MASK2FORMER_TRAIN_OPTIMIZER_POLY_SCHEDULE_H_
#define MASK2FORMER_TRAIN_OPTIMIZER_POLY_SCHEDULE_H_

#include <cstdint>

namespace mask2former {

struct PolyScheduleOptions {
  enum class Warmup { kLinear, kConstant };

  int64_t max_iter = 90000;
  double power = 0.9;
  double constant_ending = 0;
  int64_t warmup_iters = 0;
  double warmup_factor = 1;
  Warmup warmup = Warmup::kLinear;
};

// What the learning rate at `iteration`, which counts from 0, is multiplied by:
//
//   w(t) (1 - t / max_iter)^power
//
// where, for t < warmup_iters, w(t) = f (1 - t / warmup_iters) + t /
// warmup_iters (linear) or f (constant), f = warmup_factor; else 1. The warm-up
// multiplies the decay and does not delay it. Where w(t) = 1 the result is
// constant_ending at least; without that, 0 from max_iter on.
//
// Source: detectron2, projects/DeepLab, WarmupPolyLR.
double PolyScheduleFactor(const PolyScheduleOptions& options,
                          int64_t iteration);

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_OPTIMIZER_POLY_SCHEDULE_H_
