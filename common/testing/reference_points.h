#ifndef MASK2FORMER_COMMON_TESTING_REFERENCE_POINTS_H_
#define MASK2FORMER_COMMON_TESTING_REFERENCE_POINTS_H_

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "mask2former/common/random_points.h"

namespace mask2former {

// Points that any implementation in any language can make: draw k, from 0, is
// u("rand" + k, i) for i = 0 .. 2 n t - 1, as float; see reference_values.h.
class ReferencePointSource final : public PointSource {
 public:
  at::Tensor Draw(int64_t n, int64_t t) override;

  // k of the next draw.
  int64_t num_draws() const { return num_draws_; }

 private:
  int64_t num_draws_ = 0;
};

}  // namespace mask2former

#endif  // MASK2FORMER_COMMON_TESTING_REFERENCE_POINTS_H_
