#ifndef MASK2FORMER_TOOLS_BENCHMARK_FLOP_COUNTER_H_
#define MASK2FORMER_TOOLS_BENCHMARK_FLOP_COUNTER_H_

#include <ATen/record_function.h>

#include <atomic>
#include <cstdint>
#include <memory>

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

  int64_t count() const;

 private:
  at::CallbackHandle handle_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_BENCHMARK_FLOP_COUNTER_H_
