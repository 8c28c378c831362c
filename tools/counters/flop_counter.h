#ifndef MASK2FORMER_TOOLS_COUNTERS_FLOP_COUNTER_H_
#define MASK2FORMER_TOOLS_COUNTERS_FLOP_COUNTER_H_

#include <ATen/record_function.h>

#include <cstdint>

namespace mask2former {

// Counts the floating-point operations of matrix products, convolutions,
// attention, deformable attention and, on GPUs, point sampling that LibTorch is
// asked for while it lives, by all threads. A multiplication and an addition
// are two. Elementwise operations, norms and the like are not counted, as in
// the papers.
//
// One at a time. Slows operators down a little, so not for timed runs.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();

  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;

  // All of them.
  int64_t count() const;

  // Those of deformable attention and point sampling: multiplications and
  // additions of samples, which tables of multiply-accumulates often leave out.
  int64_t sampling() const;

  // Elements that the counted operators have written.
  int64_t activations() const;

 private:
  at::CallbackHandle handle_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_COUNTERS_FLOP_COUNTER_H_
