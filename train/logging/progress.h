#ifndef MASK2FORMER_TRAIN_LOGGING_PROGRESS_H_
#define MASK2FORMER_TRAIN_LOGGING_PROGRESS_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace mask2former {

// The middle value; the mean of the two middle ones of an even number. NaN if
// any is NaN, or if there are none.
double Median(std::vector<double> values);

// "0:00:07", "13:05:09", "2 days 0:00:00". Rounded to seconds; negative and NaN
// as "unknown".
std::string FormatDuration(double seconds);

// Guesses how long a training still takes: the median duration of its last
// thousand iterations times what is left. The first iterations of the process
// allocate, tune and warm up caches; they do not count.
class Progress {
 public:
  static constexpr int64_t kExcluded = 3;
  static constexpr size_t kWindow = 1000;

  explicit Progress(int64_t max_iter) : max_iter_(max_iter) {}

  // After each iteration: how long it took, loading included.
  void Add(double seconds);

  // Empty as long as no iteration counts.
  std::optional<double> RemainingSeconds(int64_t iterations_done) const;

  int64_t max_iter() const { return max_iter_; }

 private:
  const int64_t max_iter_;
  int64_t seen_ = 0;
  std::deque<double> seconds_;
};

}  // namespace mask2former

#endif  // MASK2FORMER_TRAIN_LOGGING_PROGRESS_H_
