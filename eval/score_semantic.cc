#include "mask2former/eval/score_semantic.h"

#include <algorithm>
#include <atomic>
#include <opencv2/core/mat.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/label_png.h"
#include "mask2former/eval/prediction_files.h"
#include "mask2former/eval/problem_list.h"
#include "mask2former/eval/train_ids.h"

namespace mask2former {
namespace {

absl::Status AddImage(const PredictionFiles& files, bool holds_train_ids,
                      CityscapesMetrics& metrics) {
  M2F_ASSIGN_OR_RETURN(const cv::Mat prediction,
                       ReadLabelPng(files.prediction));
  M2F_ASSIGN_OR_RETURN(const cv::Mat labels,
                       ReadPng(files.labels, PngFormat::kGray8));
  M2F_ASSIGN_OR_RETURN(const cv::Mat instances,
                       ReadPng(files.instances, PngFormat::kGray16));
  absl::Status added;
  if (holds_train_ids) {
    const absl::StatusOr<cv::Mat> ids = TrainIdsToLabelIds(prediction);
    added = ids.ok() ? metrics.Add(labels, *ids, instances) : ids.status();
  } else {
    added = metrics.Add(labels, prediction, instances);
  }
  return added.ok()
             ? added
             : absl::Status(added.code(), absl::StrCat(files.prediction, ": ",
                                                       added.message()));
}

// Adds all images with the given number of threads. Each takes the next image
// until none is left, and has an accumulator of its own.
class ImageScorer {
 public:
  ImageScorer(const std::vector<PredictionFiles>& images,
              const ScoreSemanticOptions& options, std::ostream& console)
      : images_(images),
        options_(options),
        console_(console),
        problems_(images.size()) {}

  absl::StatusOr<CityscapesMetrics> Run() {
    const int cores =
        std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
    const int wanted = options_.threads > 0 ? options_.threads : cores;
    std::vector<std::thread> threads;
    for (int i = 1; i < std::min<int>(wanted, images_.size()); ++i) {
      threads.emplace_back([this] { Work(); });
    }
    Work();
    for (std::thread& thread : threads) thread.join();

    std::vector<std::string> problems;
    for (std::string& problem : problems_) {
      if (!problem.empty()) problems.push_back(std::move(problem));
    }
    M2F_RETURN_IF_ERROR(
        ProblemsToStatus(absl::StrCat(problems.size(), " of ", images_.size(),
                                      " images cannot be scored"),
                         problems));
    const absl::MutexLock lock(&mutex_);
    return metrics_;
  }

 private:
  void Work() {
    CityscapesMetrics metrics;
    for (size_t i = next_++; i < images_.size(); i = next_++) {
      const absl::Status added =
          AddImage(images_[i], options_.holds_train_ids, metrics);
      if (!added.ok()) problems_[i] = std::string(added.message());
      const absl::MutexLock lock(&mutex_);
      ++done_;
      if (!options_.quiet) {
        console_ << "\rImages Processed: " << done_ << " " << std::flush;
      }
    }
    const absl::MutexLock lock(&mutex_);
    metrics_.Merge(metrics);
  }

  const std::vector<PredictionFiles>& images_;
  const ScoreSemanticOptions& options_;
  std::ostream& console_;
  std::atomic<size_t> next_{0};
  std::vector<std::string> problems_;  // By image; each written by one thread.
  absl::Mutex mutex_;
  int done_ ABSL_GUARDED_BY(mutex_) = 0;
  CityscapesMetrics metrics_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<CityscapesMetrics> ScoreSemantic(
    const ScoreSemanticOptions& options, std::ostream& console) {
  M2F_ASSIGN_OR_RETURN(
      const std::vector<PredictionFiles> images,
      FindPredictions(options.ground_truth, options.predictions));
  if (!options.quiet) {
    console << "Evaluating " << images.size() << " pairs of images...\n";
  }
  absl::StatusOr<CityscapesMetrics> metrics =
      ImageScorer(images, options, console).Run();
  if (!options.quiet) {
    console << "\n\n";
    if (metrics.ok()) console << OfficialReport(*metrics, options.color);
    console << std::flush;
  }
  return metrics;
}

bool LooksLikeTrainIds(const ConfusionMatrix& confusion) {
  int64_t never_predicted = 0;
  for (int id = 0; id < ConfusionMatrix::kIds; ++id) {
    const int64_t pixels = confusion.PredictedCount(id);
    if (id >= kCityscapesClasses && pixels > 0) return false;
    if (CityscapesLabels()[id].ignore_in_eval) never_predicted += pixels;
  }
  return 2 * never_predicted > confusion.Total();
}

}  // namespace mask2former
