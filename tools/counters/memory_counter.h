#ifndef MASK2FORMER_TOOLS_COUNTERS_MEMORY_COUNTER_H_
#define MASK2FORMER_TOOLS_COUNTERS_MEMORY_COUNTER_H_

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <cstdint>
#include <memory>

namespace mask2former {

// Follows the bytes that LibTorch's allocators, CPU and GPU, hand out to this
// thread, and to backward passes that it starts, while it lives. What other
// libraries use inside their functions is not seen, nor what was there before,
// not even when it is freed.
//
// Not inside LibTorch's profiler, whose place it takes.
class MemoryCounter {
 public:
  MemoryCounter();
  ~MemoryCounter();

  MemoryCounter(const MemoryCounter&) = delete;
  MemoryCounter& operator=(const MemoryCounter&) = delete;

  // Bytes in use now.
  int64_t current() const;

  // The most bytes in use at a time since the beginning or ResetPeak().
  int64_t peak() const;
  void ResetPeak();

 private:
  class State;

  std::shared_ptr<State> state_;
  std::unique_ptr<c10::DebugInfoGuard> guard_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TOOLS_COUNTERS_MEMORY_COUNTER_H_
