#include "mask2former/eval/instance_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <tuple>
#include <utility>

namespace mask2former {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool IsSmall(const TrueInstance& truth) {
  return truth.pixels < InstanceMetrics::kSmallestInstance;
}

bool IsWanted(const TrueInstance& truth) {
  return !truth.is_group() && !IsSmall(truth);
}

double Iou(int64_t intersection, int64_t a, int64_t b) {
  return static_cast<double>(intersection) /
         static_cast<double>(a + b - intersection);
}

// Bit i is set if `value` exceeds threshold i.
uint16_t Exceeded(double value) {
  static const std::array<double, kApThresholds> thresholds = ApThresholds();
  uint16_t bits = 0;
  for (int i = 0; i < kApThresholds; ++i) bits |= (value > thresholds[i]) << i;
  return bits;
}

// The share of a prediction that lies on what is not to be found. A small group
// counts twice, as in the official program.
double IgnoredShare(const PredictedInstance& prediction,
                    const std::vector<TrueInstance>& truths) {
  int64_t ignored = prediction.void_pixels;
  for (const InstanceOverlap& overlap : prediction.overlaps) {
    if (truths[overlap.truth].is_group()) ignored += overlap.pixels;
    if (IsSmall(truths[overlap.truth])) ignored += overlap.pixels;
  }
  return static_cast<double>(ignored) / static_cast<double>(prediction.pixels);
}

template <typename Scores>
double MeanOfValid(const Scores& scores) {
  double sum = 0;
  int valid = 0;
  for (const double score : scores) {
    if (std::isnan(score)) continue;
    sum += score;
    ++valid;
  }
  return valid == 0 ? kNaN : sum / valid;
}

}  // namespace

std::array<double, kApThresholds> ApThresholds() {
  std::array<double, kApThresholds> thresholds;
  // numpy.arange(0.5, 1, 0.05) adds multiples of (0.5 + 0.05) - 0.5, which is
  // 0.050000000000000044.
  const double first = 0.5;
  const double step = (first + 0.05) - first;
  for (int i = 0; i < kApThresholds; ++i) thresholds[i] = first + i * step;
  return thresholds;
}

void InstanceMetrics::Add(const InstanceOverlaps& picture) {
  constexpr uint16_t kAll = (1 << kApThresholds) - 1;
  constexpr int kNobody = -1;
  ++images_;
  const std::vector<TrueInstance>& truths = picture.truths();
  // [truth][threshold]: the outcome, by index, that is right so far.
  std::vector<std::array<int, kApThresholds>> best(truths.size());
  std::array<size_t, kInstanceClasses> before;  // Outcomes of former pictures.
  for (int c = 0; c < kInstanceClasses; ++c) {
    before[c] = classes_[c].outcomes.size();
  }
  for (size_t t = 0; t < truths.size(); ++t) {
    best[t].fill(kNobody);
    if (IsWanted(truths[t])) classes_[truths[t].class_index].has_truth = true;
  }
  for (const PredictedInstance& prediction : picture.predictions()) {
    ClassState& state = classes_[prediction.class_index];
    const int self = static_cast<int>(state.outcomes.size());
    state.outcomes.push_back({prediction.score, 0, 0, 1});
    std::vector<Outcome>& outcomes = state.outcomes;
    uint16_t hit = 0;
    for (const InstanceOverlap& overlap : prediction.overlaps) {
      const TrueInstance& truth = truths[overlap.truth];
      const uint16_t exceeded =
          Exceeded(Iou(overlap.pixels, truth.pixels, prediction.pixels));
      hit |= exceeded;
      if (!IsWanted(truth)) continue;
      for (int i = 0; i < kApThresholds && (exceeded >> i & 1) != 0; ++i) {
        int& winner = best[overlap.truth][i];
        const uint16_t bit = 1 << i;
        if (winner == kNobody) {
          winner = self;
        } else if (outcomes[winner].score < prediction.score) {
          outcomes[winner].right &= ~bit;
          outcomes[winner].wrong |= bit;
          winner = self;
        } else {
          outcomes[self].wrong |= bit;
          continue;
        }
        outcomes[self].right |= bit;
      }
    }
    const uint16_t ignored = Exceeded(IgnoredShare(prediction, truths));
    outcomes[self].wrong |= ~hit & ~ignored & kAll;
  }
  for (size_t t = 0; t < truths.size(); ++t) {
    if (!IsWanted(truths[t])) continue;
    ClassState& state = classes_[truths[t].class_index];
    for (int i = 0; i < kApThresholds; ++i) {
      state.missed[i] += best[t][i] == kNobody;
    }
  }
  for (int c = 0; c < kInstanceClasses; ++c) {
    std::vector<Outcome>& outcomes = classes_[c].outcomes;
    outcomes.erase(std::remove_if(outcomes.begin() + before[c], outcomes.end(),
                                  [](const Outcome& outcome) {
                                    return outcome.right == 0 &&
                                           outcome.wrong == 0;
                                  }),
                   outcomes.end());
    classes_[c].FoldIfGrown();
  }
}

int64_t InstanceMetrics::records() const {
  size_t records = 0;
  for (const ClassState& state : classes_) records += state.outcomes.size();
  return static_cast<int64_t>(records);
}

bool InstanceMetrics::IsBefore(const Outcome& a, const Outcome& b) {
  return std::tie(a.score, a.right, a.wrong) <
         std::tie(b.score, b.right, b.wrong);
}

void InstanceMetrics::ClassState::FoldIfGrown() {
  constexpr size_t kFew = 1024;
  if (outcomes.size() < 2 * folded + kFew) return;
  std::sort(outcomes.begin(), outcomes.end(), IsBefore);
  size_t last = 0;
  for (size_t i = 1; i < outcomes.size(); ++i) {
    const uint64_t count = uint64_t{outcomes[last].count} + outcomes[i].count;
    if (IsBefore(outcomes[last], outcomes[i]) ||
        count > std::numeric_limits<uint32_t>::max()) {
      outcomes[++last] = outcomes[i];
    } else {
      outcomes[last].count = static_cast<uint32_t>(count);
    }
  }
  outcomes.resize(last + 1);
  folded = outcomes.size();
}

void InstanceMetrics::Merge(InstanceMetrics other) {
  for (int c = 0; c < kInstanceClasses; ++c) {
    ClassState& mine = classes_[c];
    ClassState& theirs = other.classes_[c];
    if (mine.outcomes.empty()) {
      mine.outcomes = std::move(theirs.outcomes);
      mine.folded = theirs.folded;
    } else {
      mine.outcomes.insert(mine.outcomes.end(), theirs.outcomes.begin(),
                           theirs.outcomes.end());
      theirs.outcomes = {};  // Its memory is free for the next class.
    }
    mine.FoldIfGrown();
    for (int i = 0; i < kApThresholds; ++i) mine.missed[i] += theirs.missed[i];
    mine.has_truth |= theirs.has_truth;
  }
  images_ += other.images_;
}

// `sorted` by score, lowest first, where recall is highest.
double InstanceMetrics::AveragePrecision(const std::vector<Outcome>& sorted,
                                         int64_t missed, int threshold) {
  int64_t right = 0, wrong = 0;  // Of this score or higher.
  for (const Outcome& outcome : sorted) {
    if ((outcome.right >> threshold & 1) != 0) right += outcome.count;
    if ((outcome.wrong >> threshold & 1) != 0) wrong += outcome.count;
  }
  const double wanted = static_cast<double>(right + missed);
  // The lowest score's neighbour is itself.
  double recall_before = static_cast<double>(right) / wanted;
  double ap = 0;
  for (size_t i = 0; i < sorted.size();) {
    const double hits = static_cast<double>(right);
    const int64_t all = right + wrong;
    const double score = sorted[i].score;
    for (; i < sorted.size() && sorted[i].score == score; ++i) {
      if ((sorted[i].right >> threshold & 1) != 0) right -= sorted[i].count;
      if ((sorted[i].wrong >> threshold & 1) != 0) wrong -= sorted[i].count;
    }
    if (right + wrong == all) continue;  // All left out: no point.
    const double recall_after = static_cast<double>(right) / wanted;
    ap += hits / static_cast<double>(all) *
          (0.5 * (recall_before - recall_after));
    recall_before = hits / wanted;
  }
  // An artificial point above the highest score: precision 1, recall 0.
  return ap + 0.5 * recall_before;
}

InstanceScores InstanceMetrics::Compute() const {
  InstanceScores scores;
  std::vector<double> cells;
  for (int c = 0; c < kInstanceClasses; ++c) {
    const ClassState& state = classes_[c];
    std::vector<Outcome> sorted = state.outcomes;
    std::sort(sorted.begin(), sorted.end(), IsBefore);
    double sum = 0;
    for (int i = 0; i < kApThresholds; ++i) {
      scores.ap[c][i] =
          state.has_truth ? AveragePrecision(sorted, state.missed[i], i) : kNaN;
      cells.push_back(scores.ap[c][i]);
      sum += scores.ap[c][i];
    }
    scores.class_ap[c] = sum / kApThresholds;
    scores.class_ap50[c] = scores.ap[c][0];
  }
  scores.mean_ap = MeanOfValid(cells);
  scores.mean_ap50 = MeanOfValid(scores.class_ap50);
  return scores;
}

}  // namespace mask2former
