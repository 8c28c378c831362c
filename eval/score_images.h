#ifndef MASK2FORMER_EVAL_SCORE_IMAGES_H_
#define MASK2FORMER_EVAL_SCORE_IMAGES_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "mask2former/common/parallel_for.h"
#include "mask2former/common/problem_list.h"
#include "mask2former/common/status_macros.h"

namespace mask2former {

// Calls add(i, metrics) for i = 0 .. images - 1 from `threads` threads (0: one
// per core) and merges what they accumulated. Each thread takes the next image
// until none is left, and has a copy of `empty` of its own, so that `add` needs
// no lock and memory does not grow with the number of images.
//
//   progress  gets "\rImages Processed: N " after each image; may be null
//
// Returns InvalidArgument that lists the errors and exceptions of `add`, if
// there is any.
template <typename Metrics>
absl::StatusOr<Metrics> ScoreImages(
    size_t images, int threads, const Metrics& empty, std::ostream* progress,
    const std::function<absl::Status(size_t, Metrics&)>& add) {
  std::atomic<size_t> next = 0;
  std::vector<std::string> problem_of(images);  // Each written by one thread.
  absl::Mutex mutex;
  size_t done = 0;
  Metrics all = empty;
  const auto work = [&] {
    Metrics metrics = empty;
    for (size_t i = next++; i < images; i = next++) {
      try {
        const absl::Status added = add(i, metrics);
        if (!added.ok()) problem_of[i] = std::string(added.message());
      } catch (const std::exception& error) {
        problem_of[i] = absl::StrCat("image ", i, ": ", error.what());
      }
      const absl::MutexLock lock(&mutex);
      ++done;
      if (progress != nullptr) {
        *progress << "\rImages Processed: " << done << " " << std::flush;
      }
    }
    const absl::MutexLock lock(&mutex);
    all.Merge(std::move(metrics));
    return absl::OkStatus();
  };
  const size_t cores = std::max(1u, std::thread::hardware_concurrency());
  const size_t workers = std::min(threads > 0 ? threads : cores, images);
  M2F_RETURN_IF_ERROR(ParallelFor(static_cast<int64_t>(workers),
                                  static_cast<int>(workers),
                                  [&](int64_t) { return work(); }));
  std::vector<std::string> problems;
  for (std::string& problem : problem_of) {
    if (!problem.empty()) problems.push_back(std::move(problem));
  }
  const absl::Status status = ListProblems(
      absl::StrCat(problems.size(), " of ", images, " images cannot be scored"),
      problems);
  if (!status.ok()) return status;
  return all;
}

}  // namespace mask2former

#endif  // MASK2FORMER_EVAL_SCORE_IMAGES_H_
