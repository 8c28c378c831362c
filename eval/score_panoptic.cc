#include "mask2former/eval/score_panoptic.h"

#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/problem_list.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/panoptic_json.h"
#include "mask2former/eval/panoptic_report.h"
#include "mask2former/eval/panoptic_truth.h"
#include "mask2former/eval/path_inside.h"
#include "mask2former/eval/prediction_files.h"
#include "mask2former/eval/score_images.h"

namespace mask2former {
namespace {

struct Pair {
  std::string image_id;
  std::string truth;  // PNG: segment ids, or instanceIds.
  std::string prediction;
  const std::vector<PanopticSegment>* true_segments;  // Null: instanceIds.
  const std::vector<PanopticSegment>* predicted_segments;
};

absl::StatusOr<PanopticImage> ReadTruth(const Pair& pair) {
  if (pair.true_segments != nullptr) {
    M2F_ASSIGN_OR_RETURN(const cv::Mat ids,
                         ReadPng(pair.truth, PngFormat::kRgb8));
    return PanopticImage{ids, *pair.true_segments};
  }
  M2F_ASSIGN_OR_RETURN(const cv::Mat instances,
                       ReadPng(pair.truth, PngFormat::kGray16));
  absl::StatusOr<PanopticImage> image = PanopticTruth(instances);
  if (!image.ok()) {
    return WithPrefix(absl::StrCat(pair.truth, ": "), image.status());
  }
  return image;
}

absl::Status AddImage(const Pair& pair, PanopticMetrics& metrics) {
  M2F_ASSIGN_OR_RETURN(const PanopticImage truth, ReadTruth(pair));
  M2F_ASSIGN_OR_RETURN(const cv::Mat ids,
                       ReadPng(pair.prediction, PngFormat::kRgb8));
  return WithPrefix(
      absl::StrCat(pair.prediction, " (image_id ", pair.image_id, "): "),
      metrics.Add(truth, {ids, *pair.predicted_segments}));
}

// "X.json" -> "X", where its PNGs are.
absl::StatusOr<std::string> FolderOf(const std::string& json) {
  absl::string_view stem = json;
  if (!absl::ConsumeSuffix(&stem, ".json")) {
    return absl::InvalidArgumentError(absl::StrCat(
        json,
        " must be a JSON file in COCO's panoptic format, X.json, with "
        "its PNGs in the folder X"));
  }
  if (!DirectoryExists(stem)) {
    return absl::NotFoundError(absl::StrCat(
        "there is no folder ", stem, ", which must hold the PNGs of ", json));
  }
  return std::string(stem);
}

absl::StatusOr<std::string> PngOf(const PanopticAnnotation& annotation,
                                  const std::string& json,
                                  const std::string& folder) {
  absl::StatusOr<std::string> png =
      PathInside(annotation.file_name, folder, folder, "the PNG");
  if (!png.ok()) {
    return WithPrefix(
        absl::StrCat(json, ": the image_id ", annotation.image_id, " "),
        png.status());
  }
  return png;
}

// The pictures of the ground truth, without their predictions.
absl::StatusOr<std::vector<Pair>> TruePictures(const std::string& path,
                                               const PanopticFile& file) {
  std::vector<Pair> pairs;
  if (DirectoryExists(path)) {
    M2F_ASSIGN_OR_RETURN(const std::vector<PredictionFiles> images,
                         FindInstanceImages(path));
    for (const PredictionFiles& image : images) {
      pairs.push_back({image.name, image.instances, "", nullptr, nullptr});
    }
    return pairs;
  }
  M2F_ASSIGN_OR_RETURN(const std::string folder, FolderOf(path));
  for (const PanopticAnnotation& annotation : file.annotations) {
    M2F_ASSIGN_OR_RETURN(const std::string png,
                         PngOf(annotation, path, folder));
    pairs.push_back(
        {annotation.image_id, png, "", &annotation.segments, nullptr});
  }
  if (pairs.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, " has no picture"));
  }
  return pairs;
}

absl::Status AddPredictions(const std::string& path, const PanopticFile& file,
                            std::vector<Pair>& pairs) {
  M2F_ASSIGN_OR_RETURN(const std::string folder, FolderOf(path));
  std::map<std::string, const PanopticAnnotation*> by_image;
  for (const PanopticAnnotation& annotation : file.annotations) {
    by_image[annotation.image_id] = &annotation;
  }
  std::vector<std::string> problems;
  for (Pair& pair : pairs) {
    const auto found = by_image.find(pair.image_id);
    if (found == by_image.end()) {
      problems.push_back(
          absl::StrCat("no annotation with image_id \"", pair.image_id, "\""));
      continue;
    }
    M2F_ASSIGN_OR_RETURN(pair.prediction, PngOf(*found->second, path, folder));
    pair.predicted_segments = &found->second->segments;
  }
  std::string example;
  if (!problems.empty() && !file.annotations.empty()) {
    example = absl::StrCat("; it has, for instance, \"",
                           file.annotations[0].image_id, "\"");
  }
  return ListProblems(
      absl::StrCat(path, " has no prediction for ", problems.size(), " of ",
                   pairs.size(), " pictures", example),
      problems);
}

}  // namespace

absl::StatusOr<PanopticMetrics> ScorePanoptic(
    const ScorePanopticOptions& options, std::ostream& console) {
  PanopticFile truth;
  if (DirectoryExists(options.ground_truth)) {
    truth.categories = CityscapesPanopticCategories();
  } else {
    M2F_ASSIGN_OR_RETURN(
        truth,
        ReadPanopticJson(options.ground_truth, PanopticFileKind::kGroundTruth));
  }
  M2F_ASSIGN_OR_RETURN(
      const PanopticFile predictions,
      ReadPanopticJson(options.predictions, PanopticFileKind::kPrediction));
  M2F_ASSIGN_OR_RETURN(std::vector<Pair> pairs,
                       TruePictures(options.ground_truth, truth));
  M2F_RETURN_IF_ERROR(AddPredictions(options.predictions, predictions, pairs));

  absl::StatusOr<PanopticMetrics> metrics = ScoreImages<PanopticMetrics>(
      pairs.size(), options.threads, PanopticMetrics(truth.categories),
      options.quiet ? nullptr : &console, [&](size_t i, PanopticMetrics& mine) {
        return AddImage(pairs[i], mine);
      });
  if (!options.quiet) {
    console << "\n";
    if (metrics.ok()) console << PanopticTable(metrics->Compute());
    console << std::flush;
  }
  return metrics;
}

}  // namespace mask2former
