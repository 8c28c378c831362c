#include "mask2former/eval/panoptic_metrics.h"

#include <cmath>
#include <limits>
#include <opencv2/core.hpp>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/eval/panoptic_overlaps.h"

namespace mask2former {
namespace {

constexpr int64_t kNobody = 0;
constexpr size_t kCounts = 3;  // TP, FP, FN; then the digits of the IoU.
constexpr size_t kSums = kCounts + std::tuple_size<ExactSum::Digits>::value;

// Everything about a predicted segment that the rules ask for.
struct Predicted {
  int category_id = 0;
  int64_t area = 0;
  int64_t without_truth = 0;
  bool is_matched = false;
};

void AddTo(const PanopticQuality& quality, PanopticScores::Group& group) {
  group.mean.pq += quality.pq;
  group.mean.sq += quality.sq;
  group.mean.rq += quality.rq;
  ++group.categories;
}

void Divide(PanopticScores::Group& group) {
  const double n = group.categories == 0
                       ? std::numeric_limits<double>::quiet_NaN()
                       : group.categories;
  group.mean = {group.mean.pq / n, group.mean.sq / n, group.mean.rq / n};
}

}  // namespace

std::vector<PanopticCategory> CityscapesPanopticCategories() {
  std::vector<PanopticCategory> categories;
  for (const CityscapesLabel& label : CityscapesLabels()) {
    if (label.ignore_in_eval) continue;
    categories.push_back(
        {label.id, std::string(label.name), label.has_instances});
  }
  return categories;
}

PanopticMetrics::PanopticMetrics(
    const std::vector<PanopticCategory>& categories) {
  for (const PanopticCategory& category : categories) {
    states_[category.id].category = category;
  }
}

absl::Status PanopticMetrics::CheckSegments(
    const std::vector<PanopticSegment>& segments, const char* whose) const {
  std::set<int64_t> seen;
  for (const PanopticSegment& segment : segments) {
    if (segment.id <= 0) {
      return absl::InvalidArgumentError(
          absl::StrCat(whose, " lists a segment with id ", segment.id,
                       "; ids are 1 or more, 0 is for pixels without segment"));
    }
    if (!seen.insert(segment.id).second) {
      return absl::InvalidArgumentError(absl::StrCat(
          whose, " lists the segment id ", segment.id,
          " twice; give each segment of a picture an id of its own"));
    }
    if (states_.count(segment.category_id) == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          whose, " lists segment ", segment.id, " with the category_id ",
          segment.category_id,
          ", which is no category of the ground truth (Cityscapes: label ids "
          "such as 7 for road, not train ids)"));
    }
  }
  return absl::OkStatus();
}

absl::Status PanopticMetrics::Add(const PanopticImage& truth,
                                  const PanopticImage& prediction) {
  M2F_RETURN_IF_ERROR(CheckSegments(truth.segments, "the ground truth"));
  M2F_RETURN_IF_ERROR(CheckSegments(prediction.segments, "the prediction"));
  M2F_ASSIGN_OR_RETURN(const PanopticOverlaps overlaps,
                       CountPanopticOverlaps(truth.ids, prediction.ids));

  absl::flat_hash_map<int64_t, Predicted> predicted;
  for (const PanopticSegment& segment : prediction.segments) {
    predicted[segment.id].category_id = segment.category_id;
  }
  for (const auto& [overlap, pixels] : overlaps) {
    if (overlap.prediction == kNobody) continue;
    const auto found = predicted.find(overlap.prediction);
    if (found == predicted.end()) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the prediction's map has the segment id ", overlap.prediction,
          ", which is not in its list; list it, or paint it 0"));
    }
    found->second.area += pixels;
    if (overlap.truth == kNobody) found->second.without_truth = pixels;
  }
  for (const PanopticSegment& segment : prediction.segments) {
    if (predicted[segment.id].area == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the prediction lists the segment id ", segment.id,
          ", which has no pixel in its map; leave it out of the list"));
    }
  }

  absl::flat_hash_map<int64_t, const PanopticSegment*> truths;
  std::map<int, int64_t> crowd_of_category;
  for (const PanopticSegment& segment : truth.segments) {
    truths[segment.id] = &segment;
    if (segment.is_crowd) crowd_of_category[segment.category_id] = segment.id;
  }
  std::set<int64_t> matched;
  for (const auto& [overlap, pixels] : overlaps) {
    const auto t = truths.find(overlap.truth);
    const auto p = predicted.find(overlap.prediction);
    if (t == truths.end() || p == predicted.end() || t->second->is_crowd ||
        t->second->category_id != p->second.category_id) {
      continue;
    }
    const int64_t either =
        p->second.area + t->second->area - pixels - p->second.without_truth;
    const double iou =
        static_cast<double>(pixels) / static_cast<double>(either);
    if (!(iou > 0.5)) continue;
    State& state = states_[t->second->category_id];
    ++state.true_positives;
    state.iou.Add(iou);
    matched.insert(overlap.truth);
    p->second.is_matched = true;
  }
  for (const PanopticSegment& segment : truth.segments) {
    if (segment.is_crowd || matched.count(segment.id) > 0) continue;
    ++states_[segment.category_id].false_negatives;
  }
  for (const auto& [id, segment] : predicted) {
    if (segment.is_matched) continue;
    int64_t excused = segment.without_truth;
    const auto crowd = crowd_of_category.find(segment.category_id);
    if (crowd != crowd_of_category.end()) {
      const auto pixels = overlaps.find({crowd->second, id});
      if (pixels != overlaps.end()) excused += pixels->second;
    }
    if (2 * excused > segment.area) continue;
    ++states_[segment.category_id].false_positives;
  }
  ++images_;
  return absl::OkStatus();
}

void PanopticMetrics::Merge(const PanopticMetrics& other) {
  for (const auto& [id, theirs] : other.states_) {
    State& mine = states_[id];
    mine.category = theirs.category;
    mine.true_positives += theirs.true_positives;
    mine.false_positives += theirs.false_positives;
    mine.false_negatives += theirs.false_negatives;
    mine.iou.Merge(theirs.iou);
  }
  images_ += other.images_;
}

PanopticScores PanopticMetrics::Compute() const {
  PanopticScores scores;
  for (const auto& [id, state] : states_) {
    PanopticScores::Category category;
    category.category = state.category;
    category.true_positives = state.true_positives;
    category.false_positives = state.false_positives;
    category.false_negatives = state.false_negatives;
    const double hits = static_cast<double>(state.true_positives);
    const double either = hits +
                          0.5 * static_cast<double>(state.false_positives) +
                          0.5 * static_cast<double>(state.false_negatives);
    if (either > 0) {
      PanopticQuality& quality = category.quality;
      quality.pq = state.iou.value() / either;
      quality.sq = hits == 0 ? 0 : state.iou.value() / hits;
      quality.rq = hits / either;
      AddTo(quality, scores.all);
      AddTo(quality, state.category.is_thing ? scores.things : scores.stuff);
    }
    scores.categories.push_back(std::move(category));
  }
  Divide(scores.all);
  Divide(scores.things);
  Divide(scores.stuff);
  return scores;
}

std::vector<int64_t> PanopticMetrics::ToSums() const {
  std::vector<int64_t> sums = {images_};
  for (const auto& [id, state] : states_) {
    sums.insert(sums.end(), {state.true_positives, state.false_positives,
                             state.false_negatives});
    const ExactSum::Digits digits = state.iou.ToDigits();
    sums.insert(sums.end(), digits.begin(), digits.end());
  }
  return sums;
}

PanopticMetrics PanopticMetrics::FromSums(
    const std::vector<PanopticCategory>& categories,
    absl::Span<const int64_t> sums) {
  PanopticMetrics metrics(categories);
  CV_Assert(sums.size() == 1 + kSums * metrics.states_.size());
  metrics.images_ = sums[0];
  size_t at = 1;
  for (auto& [id, state] : metrics.states_) {
    state.true_positives = sums[at];
    state.false_positives = sums[at + 1];
    state.false_negatives = sums[at + 2];
    ExactSum::Digits digits;
    for (size_t i = 0; i < digits.size(); ++i) {
      digits[i] = sums[at + kCounts + i];
    }
    state.iou = ExactSum::FromDigits(digits);
    at += kSums;
  }
  return metrics;
}

}  // namespace mask2former
