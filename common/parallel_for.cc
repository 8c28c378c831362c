#include "mask2former/common/parallel_for.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace mask2former {
namespace {

absl::Status CallGuarded(const std::function<absl::Status(int64_t)>& body,
                         int64_t index) {
  try {
    return body(index);
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

}  // namespace

absl::Status ParallelFor(int64_t count, int num_threads,
                         const std::function<absl::Status(int64_t)>& body) {
  std::mutex mutex;
  int64_t next = 0;
  absl::Status first;
  const auto work = [&] {
    while (true) {
      int64_t mine = 0;
      {
        const std::lock_guard<std::mutex> lock(mutex);
        if (!first.ok() || next >= count) return;
        mine = next++;
      }
      absl::Status status = CallGuarded(body, mine);
      if (status.ok()) continue;
      const std::lock_guard<std::mutex> lock(mutex);
      if (first.ok()) first = std::move(status);
    }
  };
  const int64_t cores =
      std::max<int64_t>(1, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (int64_t i =
           std::min<int64_t>(count, num_threads > 0 ? num_threads : cores);
       i > 0; --i) {
    threads.emplace_back(work);
  }
  for (std::thread& thread : threads) thread.join();
  return first;
}

}  // namespace mask2former
