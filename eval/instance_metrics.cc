#include "mask2former/eval/instance_metrics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

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
  for (size_t t = 0; t < truths.size(); ++t) {
    best[t].fill(kNobody);
    if (IsWanted(truths[t])) classes_[truths[t].class_index].has_truth = true;
  }
  for (const PredictedInstance& prediction : picture.predictions()) {
    ClassState& state = classes_[prediction.class_index];
    const int self = static_cast<int>(state.outcomes.size());
    state.outcomes.push_back({prediction.score, 0, 0});
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
}

void InstanceMetrics::Merge(const InstanceMetrics& other) {
  for (int c = 0; c < kInstanceClasses; ++c) {
    ClassState& mine = classes_[c];
    const ClassState& theirs = other.classes_[c];
    mine.outcomes.insert(mine.outcomes.end(), theirs.outcomes.begin(),
                         theirs.outcomes.end());
    for (int i = 0; i < kApThresholds; ++i) mine.missed[i] += theirs.missed[i];
    mine.has_truth |= theirs.has_truth;
  }
  images_ += other.images_;
}

// `state.outcomes` are sorted by score, highest first.
double InstanceMetrics::AveragePrecision(const ClassState& state,
                                         int threshold) {
  if (!state.has_truth) return kNaN;
  struct Point {
    double precision;
    double recall;
  };
  // From the highest score, where recall is lowest: the artificial point first.
  std::vector<Point> points = {{1, 0}};
  int64_t right = 0, wrong = 0, all_right = 0;
  for (const Outcome& outcome : state.outcomes) {
    all_right += outcome.right >> threshold & 1;
  }
  const std::vector<Outcome>& outcomes = state.outcomes;
  const double wanted =
      static_cast<double>(all_right + state.missed[threshold]);
  for (size_t i = 0; i < outcomes.size();) {
    const double score = outcomes[i].score;
    const int64_t before = right + wrong;
    for (; i < outcomes.size() && outcomes[i].score == score; ++i) {
      right += outcomes[i].right >> threshold & 1;
      wrong += outcomes[i].wrong >> threshold & 1;
    }
    if (right + wrong == before) continue;  // All left out: no point.
    const double hits = static_cast<double>(right);
    points.push_back(
        {hits / static_cast<double>(right + wrong), hits / wanted});
  }
  // Neighbours beyond the ends: recall 0, and the highest recall once more.
  double ap = 0;
  for (size_t i = points.size(); i-- > 0;) {
    const double higher = points[std::min(i + 1, points.size() - 1)].recall;
    const double lower = i == 0 ? 0 : points[i - 1].recall;
    ap += points[i].precision * (0.5 * (higher - lower));
  }
  return ap;
}

InstanceScores InstanceMetrics::Compute() const {
  InstanceScores scores;
  std::vector<double> cells;
  for (int c = 0; c < kInstanceClasses; ++c) {
    ClassState sorted = classes_[c];
    std::sort(
        sorted.outcomes.begin(), sorted.outcomes.end(),
        [](const Outcome& a, const Outcome& b) { return a.score > b.score; });
    double sum = 0;
    for (int i = 0; i < kApThresholds; ++i) {
      scores.ap[c][i] = AveragePrecision(sorted, i);
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
