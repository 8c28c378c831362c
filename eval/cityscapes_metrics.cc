#include "mask2former/eval/cityscapes_metrics.h"

#include <cmath>
#include <limits>
#include <opencv2/core.hpp>

#include "mask2former/common/status_macros.h"

namespace mask2former {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool IsEvaluated(int id) { return !CityscapesLabels()[id].ignore_in_eval; }
bool HasInstances(int id) { return CityscapesLabels()[id].has_instances; }
int CategoryOf(int id) { return CityscapesLabels()[id].category_id; }

// A set of label ids.
using Ids = std::array<bool, kCityscapesLabelIds>;

template <typename Predicate>
Ids IdsWhere(Predicate predicate) {
  Ids ids;
  for (int id = 0; id < kCityscapesLabelIds; ++id) ids[id] = predicate(id);
  return ids;
}

int64_t Count(const ConfusionMatrix& confusion, const Ids& ground_truth,
              const Ids& predicted) {
  int64_t sum = 0;
  for (int g = 0; g < kCityscapesLabelIds; ++g) {
    for (int p = 0; ground_truth[g] && p < kCityscapesLabelIds; ++p) {
      if (predicted[p]) sum += confusion.count(g, p);
    }
  }
  return sum;
}

Ids EvaluatedIdsNotIn(const Ids& ids) {
  return IdsWhere([&ids](int id) { return IsEvaluated(id) && !ids[id]; });
}

// IoU of a set of ids that count as one.
double Iou(const ConfusionMatrix& confusion, const Ids& ids) {
  const Ids all = IdsWhere([](int) { return true; });
  const int64_t hits = Count(confusion, ids, ids);
  const int64_t misses = Count(confusion, ids, all) - hits;
  const int64_t false_positives = Count(confusion, EvaluatedIdsNotIn(ids), ids);
  const int64_t all_pixels = hits + false_positives + misses;
  return all_pixels == 0
             ? kNaN
             : static_cast<double>(hits) / static_cast<double>(all_pixels);
}

double InstanceIou(const WeightedHits& weighted, int64_t false_positives) {
  const double hits = weighted.hits.value();
  const double all_pixels =
      hits + static_cast<double>(false_positives) + weighted.misses.value();
  return all_pixels == 0 ? kNaN : hits / all_pixels;
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

double PixelAccuracy(const ConfusionMatrix& confusion) {
  int64_t hits = 0;
  int64_t pixels = 0;
  for (int id = 0; id < kCityscapesLabelIds; ++id) {
    if (!IsEvaluated(id)) continue;
    hits += confusion.count(id, id);
    pixels += confusion.GroundTruthCount(id);
  }
  return pixels == 0 ? kNaN
                     : static_cast<double>(hits) / static_cast<double>(pixels);
}

}  // namespace

absl::Status CityscapesMetrics::Add(const cv::Mat& ground_truth,
                                    const cv::Mat& prediction,
                                    const cv::Mat& instances) {
  ConfusionMatrix confusion;
  M2F_RETURN_IF_ERROR(confusion.Add(ground_truth, prediction));
  if (instances.empty()) {
    ++images_without_instances_;
  } else {
    M2F_RETURN_IF_ERROR(instance_hits_.Add(instances, prediction));
  }
  confusion_.Merge(confusion);
  ++images_;
  return absl::OkStatus();
}

void CityscapesMetrics::Merge(const CityscapesMetrics& other) {
  confusion_.Merge(other.confusion_);
  instance_hits_.Merge(other.instance_hits_);
  images_ += other.images_;
  images_without_instances_ += other.images_without_instances_;
}

CityscapesScores CityscapesMetrics::Compute() const {
  CityscapesScores scores;
  const bool with_instances = images_without_instances_ == 0;
  for (int id = 0; id < kCityscapesLabelIds; ++id) {
    const Ids self = IdsWhere([id](int other) { return other == id; });
    scores.class_iou[id] = IsEvaluated(id) ? Iou(confusion_, self) : kNaN;
    scores.class_instance_iou[id] =
        IsEvaluated(id) && HasInstances(id) && with_instances
            ? InstanceIou(instance_hits_.ForClass(id),
                          Count(confusion_, EvaluatedIdsNotIn(self), self))
            : kNaN;
  }
  for (int category = 0; category < kCityscapesCategories; ++category) {
    const Ids all =
        IdsWhere([=](int id) { return CategoryOf(id) == category; });
    const Ids evaluated =
        IdsWhere([&all](int id) { return all[id] && IsEvaluated(id); });
    scores.category_iou[category] = Iou(confusion_, evaluated);
    const bool is_things =
        category == InstanceHits::kHuman || category == InstanceHits::kVehicle;
    // Here the ids that are not evaluated count as predictions, above not.
    scores.category_instance_iou[category] =
        is_things && with_instances
            ? InstanceIou(instance_hits_.ForCategory(category),
                          Count(confusion_, EvaluatedIdsNotIn(all), all))
            : kNaN;
  }
  scores.mean_class_iou = MeanOfValid(scores.class_iou);
  scores.mean_class_instance_iou = MeanOfValid(scores.class_instance_iou);
  scores.mean_category_iou = MeanOfValid(scores.category_iou);
  scores.mean_category_instance_iou = MeanOfValid(scores.category_instance_iou);
  scores.pixel_accuracy = PixelAccuracy(confusion_);
  return scores;
}

std::vector<int64_t> CityscapesMetrics::ToSums() const {
  std::vector<int64_t> sums(confusion_.counts().begin(),
                            confusion_.counts().end());
  const auto append = [&sums](const WeightedHits& weighted) {
    for (const ExactSum& sum : {weighted.hits, weighted.misses}) {
      const ExactSum::Digits digits = sum.ToDigits();
      sums.insert(sums.end(), digits.begin(), digits.end());
    }
  };
  for (int i = 0; i < InstanceHits::kIds; ++i) {
    append(instance_hits_.ForClass(InstanceHits::kFirstId + i));
  }
  append(instance_hits_.ForCategory(InstanceHits::kHuman));
  append(instance_hits_.ForCategory(InstanceHits::kVehicle));
  sums.push_back(images_);
  sums.push_back(images_without_instances_);
  return sums;
}

CityscapesMetrics CityscapesMetrics::FromSums(absl::Span<const int64_t> sums) {
  CityscapesMetrics result;
  CV_Assert(sums.size() == result.ToSums().size());
  auto next = sums.begin();
  for (int64_t& count : result.confusion_.mutable_counts()) count = *next++;
  const auto read = [&next](WeightedHits& weighted) {
    for (ExactSum* const sum : {&weighted.hits, &weighted.misses}) {
      ExactSum::Digits digits;
      for (int64_t& digit : digits) digit = *next++;
      *sum = ExactSum::FromDigits(digits);
    }
  };
  for (int i = 0; i < InstanceHits::kIds; ++i) {
    read(result.instance_hits_.ForClass(InstanceHits::kFirstId + i));
  }
  read(result.instance_hits_.ForCategory(InstanceHits::kHuman));
  read(result.instance_hits_.ForCategory(InstanceHits::kVehicle));
  result.images_ = *next++;
  result.images_without_instances_ = *next++;
  return result;
}

}  // namespace mask2former
