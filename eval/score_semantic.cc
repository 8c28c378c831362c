#include "mask2former/eval/score_semantic.h"

#include <opencv2/core/mat.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/label_png.h"
#include "mask2former/eval/prediction_files.h"
#include "mask2former/eval/score_images.h"
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
  return WithPrefix(absl::StrCat(files.prediction, ": "), added);
}

}  // namespace

absl::StatusOr<CityscapesMetrics> ScoreSemantic(
    const ScoreSemanticOptions& options, std::ostream& console) {
  M2F_ASSIGN_OR_RETURN(
      const std::vector<PredictionFiles> images,
      FindPredictions(options.ground_truth, options.predictions));
  if (!options.quiet) {
    console << "Evaluating " << images.size() << " pairs of images...\n";
  }
  absl::StatusOr<CityscapesMetrics> metrics = ScoreImages<CityscapesMetrics>(
      images.size(), options.threads, {}, options.quiet ? nullptr : &console,
      [&](size_t i, CityscapesMetrics& metrics) {
        return AddImage(images[i], options.holds_train_ids, metrics);
      });
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
