#include "mask2former/train/logging/progress.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace mask2former {

double Median(std::vector<double> values) {
  const bool has_nan =
      std::any_of(values.begin(), values.end(),
                  [](double value) { return std::isnan(value); });
  if (values.empty() || has_nan) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  const auto middle = values.begin() + values.size() / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  const double below = *std::max_element(values.begin(), middle);
  return below == *middle ? below : (below + *middle) / 2;
}

std::string FormatDuration(double seconds) {
  constexpr double kLongest = 1e15;
  if (!(seconds >= 0) || seconds > kLongest) return "unknown";
  const int64_t whole = std::llround(seconds);
  const int64_t days = whole / 86400;
  const std::string clock = absl::StrFormat("%d:%02d:%02d", whole / 3600 % 24,
                                            whole / 60 % 60, whole % 60);
  if (days == 0) return clock;
  return absl::StrCat(days, days == 1 ? " day " : " days ", clock);
}

void Progress::Add(double seconds) {
  if (++seen_ <= kExcluded) return;
  seconds_.push_back(seconds);
  if (seconds_.size() > kWindow) seconds_.pop_front();
}

std::optional<double> Progress::RemainingSeconds(
    int64_t iterations_done) const {
  if (seconds_.empty()) return std::nullopt;
  const int64_t left = std::max<int64_t>(max_iter_ - iterations_done, 0);
  return Median({seconds_.begin(), seconds_.end()}) * static_cast<double>(left);
}

}  // namespace mask2former
