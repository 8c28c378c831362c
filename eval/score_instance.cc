#include "mask2former/eval/score_instance.h"

#include <opencv2/core/mat.hpp>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/instance_overlaps.h"
#include "mask2former/eval/instance_predictions.h"
#include "mask2former/eval/instance_report.h"
#include "mask2former/eval/mask_png.h"
#include "mask2former/eval/prediction_files.h"
#include "mask2former/eval/score_images.h"

namespace mask2former {
namespace {

absl::Status WithName(const std::string& name, const absl::Status& status) {
  return WithPrefix(absl::StrCat(name, ": "), status);
}

absl::Status AddImage(const PredictionFiles& files, const std::string& root,
                      InstanceMetrics& metrics) {
  M2F_ASSIGN_OR_RETURN(const std::vector<InstanceLine> lines,
                       ReadInstancePredictions(files.prediction, root));
  M2F_ASSIGN_OR_RETURN(const cv::Mat instances,
                       ReadPng(files.instances, PngFormat::kGray16));
  absl::StatusOr<InstanceOverlaps> overlaps =
      InstanceOverlaps::Create(instances);
  if (!overlaps.ok()) return WithName(files.instances, overlaps.status());
  for (const InstanceLine& line : lines) {
    // The official program does not open these either.
    if (InstanceClassIndex(line.label_id) < 0) continue;
    absl::StatusOr<cv::Mat> mask = ReadMaskPng(line.mask);
    if (!mask.ok()) return WithName(files.prediction, mask.status());
    const absl::Status added = overlaps->Add(line.label_id, line.score, *mask);
    if (!added.ok()) return WithName(line.mask, added);
  }
  metrics.Add(*overlaps);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<InstanceMetrics> ScoreInstance(
    const ScoreInstanceOptions& options, std::ostream& console) {
  M2F_ASSIGN_OR_RETURN(
      const std::vector<PredictionFiles> images,
      FindPredictions(options.ground_truth, options.predictions,
                      PredictionKind::kInstances));
  if (!options.quiet) {
    console << "Matching " << images.size() << " pairs of images...\n";
  }
  absl::StatusOr<InstanceMetrics> metrics = ScoreImages<InstanceMetrics>(
      images.size(), options.threads, {}, options.quiet ? nullptr : &console,
      [&](size_t i, InstanceMetrics& mine) {
        return AddImage(images[i], options.predictions, mine);
      });
  if (!options.quiet) {
    console << "\n";
    if (metrics.ok())
      console << InstanceTable(metrics->Compute(), options.color);
    console << std::flush;
  }
  return metrics;
}

}  // namespace mask2former
