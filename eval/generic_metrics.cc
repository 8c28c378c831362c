#include "mask2former/eval/generic_metrics.h"

#include <limits>
#include <memory>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/eval/pair_counts.h"

namespace mask2former {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr int kBytes = 256;

double Ratio(double part, double whole) {
  return whole > 0 ? part / whole : kNaN;
}

}  // namespace

GenericMetrics::GenericMetrics(int num_classes, int ignored)
    : num_classes_(num_classes), ignored_(ignored) {
  CV_Assert(num_classes >= 1 && num_classes <= ignored && ignored < kBytes);
  counts_.resize(num_classes * num_classes);
}

absl::Status GenericMetrics::Add(const cv::Mat& ground_truth,
                                 const cv::Mat& prediction) {
  if (ground_truth.empty() || ground_truth.type() != CV_8UC1 ||
      prediction.type() != CV_8UC1 ||
      ground_truth.size() != prediction.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the ground truth is ", ground_truth.rows, " x ", ground_truth.cols,
        " of ", cv::typeToString(ground_truth.type()), ", the prediction ",
        prediction.rows, " x ", prediction.cols, " of ",
        cv::typeToString(prediction.type()),
        "; want CV_8UC1 of one size, not empty"));
  }
  const std::unique_ptr<PairCounts> pairs =
      CountPairs(ground_truth, prediction);
  for (int t = 0; t < kBytes; ++t) {
    for (int p = 0; p < kBytes; ++p) {
      const int64_t pixels = (*pairs)[kBytes * t + p];
      if (pixels == 0 || t == ignored_) continue;
      if (t >= num_classes_ || p >= num_classes_) {
        return absl::InvalidArgumentError(absl::StrCat(
            t >= num_classes_ ? "the ground truth" : "the prediction",
            " has the value ", t >= num_classes_ ? t : p, "; classes are 0..",
            num_classes_ - 1, ", and ", ignored_,
            " in the ground truth for pixels that do not count"));
      }
    }
  }
  for (int t = 0; t < num_classes_; ++t) {
    for (int p = 0; p < num_classes_; ++p) {
      counts_[t * num_classes_ + p] += (*pairs)[kBytes * t + p];
    }
  }
  return absl::OkStatus();
}

void GenericMetrics::Merge(const GenericMetrics& other) {
  CV_Assert(other.num_classes_ == num_classes_);
  AddCounts(other.counts_);
}

void GenericMetrics::AddCounts(const std::vector<int64_t>& counts) {
  CV_Assert(counts.size() == counts_.size());
  for (size_t i = 0; i < counts.size(); ++i) counts_[i] += counts[i];
}

GenericScores GenericMetrics::Compute() const {
  GenericScores scores;
  double all = 0, all_hits = 0, weighted = 0, sum_iou = 0, sum_accuracy = 0;
  int valid = 0;
  for (int c = 0; c < num_classes_; ++c) {
    int64_t truth = 0, predicted = 0;
    for (int other = 0; other < num_classes_; ++other) {
      truth += counts_[c * num_classes_ + other];
      predicted += counts_[other * num_classes_ + c];
    }
    const double hits = static_cast<double>(counts_[c * num_classes_ + c]);
    const double pixels = static_cast<double>(truth);
    const double either = pixels + static_cast<double>(predicted) - hits;
    scores.iou.push_back(truth > 0 ? hits / either : kNaN);
    scores.accuracy.push_back(Ratio(hits, pixels));
    if (truth == 0) continue;
    ++valid;
    all += pixels;
    all_hits += hits;
    weighted += scores.iou.back() * pixels;
    sum_iou += scores.iou.back();
    sum_accuracy += scores.accuracy.back();
  }
  scores.mean_iou = Ratio(sum_iou, valid);
  scores.frequency_weighted_iou = Ratio(weighted, all);
  scores.mean_accuracy = Ratio(sum_accuracy, valid);
  scores.pixel_accuracy = Ratio(all_hits, all);
  return scores;
}

}  // namespace mask2former
