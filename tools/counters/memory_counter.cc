#include "mask2former/tools/counters/memory_counter.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace mask2former {

class MemoryCounter::State final : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void* address, int64_t size, size_t /*allocated*/,
                         size_t /*reserved*/, c10::Device /*device*/) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (size > 0) {
      sizes_[address] = size;
      current_ += size;
      peak_ = std::max(peak_, current_);
      return;
    }
    const auto found = sizes_.find(address);
    if (found == sizes_.end()) return;
    current_ -= found->second;
    sizes_.erase(found);
  }

  bool memoryProfilingEnabled() const override { return true; }

  int64_t current() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return current_;
  }
  int64_t peak() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return peak_;
  }
  void ResetPeak() {
    const std::lock_guard<std::mutex> lock(mutex_);
    peak_ = current_;
  }

 private:
  mutable std::mutex mutex_;
  std::unordered_map<void*, int64_t> sizes_;
  int64_t current_ = 0;
  int64_t peak_ = 0;
};

MemoryCounter::MemoryCounter()
    : state_(std::make_shared<State>()),
      guard_(std::make_unique<c10::DebugInfoGuard>(
          c10::DebugInfoKind::PROFILER_STATE, state_)) {}

MemoryCounter::~MemoryCounter() = default;

int64_t MemoryCounter::current() const { return state_->current(); }

int64_t MemoryCounter::peak() const { return state_->peak(); }

void MemoryCounter::ResetPeak() { state_->ResetPeak(); }

}  // namespace mask2former
