#include "mask2former/train/optimizer/poly_schedule.h"

#include <algorithm>
#include <cmath>

namespace mask2former {
namespace {

double WarmupFactor(const PolyScheduleOptions& options, int64_t iteration) {
  if (iteration >= options.warmup_iters) return 1;
  switch (options.warmup) {
    case PolyScheduleOptions::Warmup::kLinear: {
      const double alpha =
          static_cast<double>(iteration) / options.warmup_iters;
      return options.warmup_factor * (1 - alpha) + alpha;
    }
    case PolyScheduleOptions::Warmup::kConstant:
      return options.warmup_factor;
  }
  return 1;
}

}  // namespace

double PolyScheduleFactor(const PolyScheduleOptions& options,
                          int64_t iteration) {
  const double left = 1 - static_cast<double>(iteration) /
                              static_cast<double>(options.max_iter);
  const double decay = std::pow(std::max(left, 0.), options.power);
  const double warmup = WarmupFactor(options, iteration);
  return warmup == 1 ? std::max(decay, options.constant_ending)
                     : warmup * decay;
}

}  // namespace mask2former
