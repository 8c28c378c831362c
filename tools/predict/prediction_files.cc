#include "mask2former/tools/predict/prediction_files.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <map>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "mask2former/common/config/suggestion.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/safetensors.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/convert_predictions.h"
#include "mask2former/eval/instance_files.h"
#include "mask2former/eval/network_classes.h"
#include "mask2former/eval/panoptic_files.h"
#include "mask2former/eval/panoptic_metrics.h"
#include "mask2former/eval/train_ids.h"
#include "mask2former/eval/visualize.h"
#include "mask2former/eval/visualize_segments.h"
#include "mask2former/model/inference_settings.h"

namespace mask2former {
namespace {

struct KindName {
  PredictionFile kind;
  const char* name;
};

constexpr KindName kKindNames[] = {
    {PredictionFile::kOverlay, "overlay"},
    {PredictionFile::kLabelIds, "label_ids"},
    {PredictionFile::kTrainIds, "train_ids"},
    {PredictionFile::kColor, "color"},
    {PredictionFile::kConfidence, "confidence"},
    {PredictionFile::kRaw, "raw"},
    {PredictionFile::kRawScores, "raw_scores"},
    {PredictionFile::kPanoptic, "panoptic"},
    {PredictionFile::kPanopticOverlay, "panoptic_overlay"},
    {PredictionFile::kInstances, "instances"},
    {PredictionFile::kInstanceOverlay, "instance_overlay"},
};

constexpr double kDrawnScore = 0.5;

bool IsPanoptic(PredictionFile kind) {
  return kind == PredictionFile::kPanoptic ||
         kind == PredictionFile::kPanopticOverlay;
}

bool IsInstance(PredictionFile kind) {
  return kind == PredictionFile::kInstances ||
         kind == PredictionFile::kInstanceOverlay;
}

const char* NameOf(PredictionFile kind) {
  return std::find_if(
             std::begin(kKindNames), std::end(kKindNames),
             [kind](const KindName& known) { return known.kind == kind; })
      ->name;
}

absl::Status CheckClasses(PredictionFile kind, int64_t classes,
                          const ClassColors& own_colors) {
  const bool painted =
      kind == PredictionFile::kOverlay || kind == PredictionFile::kColor;
  if (!own_colors.empty()) {
    if (painted && classes != static_cast<int64_t>(own_colors.size())) {
      return absl::InvalidArgumentError(
          absl::StrCat("the model has ", classes,
                       " classes, data.folder.classes ", own_colors.size()));
    }
    if (kind == PredictionFile::kLabelIds || IsPanoptic(kind) ||
        IsInstance(kind)) {
      return absl::InvalidArgumentError(absl::StrCat(
          "'", NameOf(kind),
          "' is for the classes of Cityscapes; this experiment has its own "
          "(data.folder): save train_ids, overlay, color, confidence or raw"));
    }
    return absl::OkStatus();
  }
  if ((painted || kind == PredictionFile::kLabelIds) &&
      classes != kCityscapesClasses) {
    return absl::InvalidArgumentError(absl::StrCat(
        "overlay, label_ids and color are for the 19 classes of Cityscapes; "
        "this model has ",
        classes, ": save train_ids, confidence or raw"));
  }
  return absl::OkStatus();
}

// [K, H, W] -> [H, W], CV_8UC1 or CV_16UC1
cv::Mat Confidence(const at::Tensor& scores, int bits) {
  const at::Tensor share =
      (scores.amax(0) / scores.sum(0)).nan_to_num(0).clamp(0, 1);
  const double full = bits == 16 ? 65535 : 255;
  const at::Tensor levels = (share.cpu() * full).round().contiguous();
  const cv::Mat values(static_cast<int>(levels.size(0)),
                       static_cast<int>(levels.size(1)), CV_32FC1,
                       levels.data_ptr<float>());
  cv::Mat image;
  values.convertTo(image, bits == 16 ? CV_16UC1 : CV_8UC1);
  return image;
}

absl::Status WriteLabelIds(const std::string& path, const cv::Mat& train_ids) {
  M2F_ASSIGN_OR_RETURN(const cv::Mat label_ids, TrainIdsToLabelIds(train_ids));
  return WritePngAtomically(path, label_ids);
}

absl::Status WriteRaw(const std::string& path, const cv::Mat& image,
                      const PicturePrediction& prediction, bool scores) {
  std::map<std::string, at::Tensor> tensors = {
      {"pred_logits", prediction.queries.class_logits[0].to(at::kFloat)},
      {"pred_masks", prediction.queries.mask_logits[0].to(at::kFloat)}};
  if (scores) tensors["sem_seg"] = prediction.scores;
  return WriteSafetensors(
      path, tensors,
      {{"height", absl::StrCat(image.rows)},
       {"width", absl::StrCat(image.cols)},
       {"input_height", absl::StrCat(prediction.image.height)},
       {"input_width", absl::StrCat(prediction.image.width)},
       {"padded_height", absl::StrCat(prediction.padded.height)},
       {"padded_width", absl::StrCat(prediction.padded.width)}});
}

// The last part of a path without its ending.
std::string BaseName(absl::string_view stem) {
  return std::filesystem::path(std::string(stem)).filename().string();
}

absl::Status WriteInstances(const std::string& path, absl::string_view stem,
                            const std::vector<InstancePrediction>& instances,
                            const NetworkClasses& classes) {
  InstanceFileWriter writer(std::filesystem::path(path).parent_path().string(),
                            BaseName(stem));
  for (const InstancePrediction& instance : instances) {
    M2F_RETURN_IF_ERROR(writer.Add(classes.label_ids[instance.category],
                                   static_cast<float>(instance.score),
                                   InstanceMask(instance)));
  }
  return writer.Finish();
}

// Files of segments and instances.
absl::Status WriteObjects(const std::string& path, absl::string_view stem,
                          PredictionFile kind, const cv::Mat& image,
                          const PicturePrediction& prediction) {
  M2F_ASSIGN_OR_RETURN(
      const NetworkClasses classes,
      CityscapesNetworkClasses(prediction.queries.class_logits.size(-1) - 1));
  if (kind == PredictionFile::kInstances) {
    return WriteInstances(path, stem, prediction.instances, classes);
  }
  if (kind == PredictionFile::kInstanceOverlay) {
    return WritePngAtomically(
        path, OverlaySegments(image, ToSegmentMap(prediction.instances, classes,
                                                  kDrawnScore, image.size())));
  }
  const PanopticImage segments = ToPanopticImage(prediction.panoptic, classes);
  if (kind == PredictionFile::kPanopticOverlay) {
    return WritePngAtomically(path,
                              OverlaySegments(image, ToSegmentMap(segments)));
  }
  PanopticFileWriter writer(path);
  const std::string name = BaseName(stem);
  M2F_RETURN_IF_ERROR(writer.Add(name, absl::StrCat(name, ".png"), segments));
  return writer.Finish();
}

absl::Status WriteOne(const std::string& path, absl::string_view stem,
                      PredictionFile kind, const cv::Mat& image,
                      const PicturePrediction& prediction, int confidence_bits,
                      const ClassColors& own_colors) {
  switch (kind) {
    case PredictionFile::kOverlay:
      return WritePngAtomically(
          path, OverlayTrainIds(image, prediction.train_ids, /*alpha=*/0.5,
                                own_colors));
    case PredictionFile::kLabelIds:
      return WriteLabelIds(path, prediction.train_ids);
    case PredictionFile::kTrainIds:
      return WritePngAtomically(path, prediction.train_ids);
    case PredictionFile::kColor:
      return WritePngAtomically(
          path, ColorizeTrainIds(prediction.train_ids, own_colors));
    case PredictionFile::kConfidence:
      return WritePngAtomically(path,
                                Confidence(prediction.scores, confidence_bits));
    case PredictionFile::kRaw:
      return WriteRaw(path, image, prediction, /*scores=*/false);
    case PredictionFile::kRawScores:
      return WriteRaw(path, image, prediction, /*scores=*/true);
    case PredictionFile::kPanoptic:
    case PredictionFile::kPanopticOverlay:
    case PredictionFile::kInstances:
    case PredictionFile::kInstanceOverlay:
      return WriteObjects(path, stem, kind, image, prediction);
  }
  return absl::InternalError("no such kind of file");
}

}  // namespace

bool IsSemantic(PredictionFile kind) {
  return kind != PredictionFile::kRaw && !IsPanoptic(kind) && !IsInstance(kind);
}

std::vector<PredictionFile> DefaultPredictionFiles(
    const InferenceConfig& config, bool test_time_augmentation) {
  if (test_time_augmentation) return {PredictionFile::kOverlay};
  std::vector<PredictionFile> kinds;
  if (config.semantic_on()) kinds.push_back(PredictionFile::kOverlay);
  if (config.panoptic_on()) kinds.push_back(PredictionFile::kPanopticOverlay);
  if (config.instance_on()) kinds.push_back(PredictionFile::kInstanceOverlay);
  return kinds;
}

bool NeedScores(const std::vector<PredictionFile>& kinds) {
  return std::any_of(kinds.begin(), kinds.end(), [](PredictionFile kind) {
    return kind == PredictionFile::kConfidence ||
           kind == PredictionFile::kRawScores;
  });
}

absl::StatusOr<InferenceConfig> TasksFor(
    const std::vector<PredictionFile>& kinds, const InferenceConfig& config) {
  bool semantic = false, panoptic = false, instance = false;
  for (const PredictionFile kind : kinds) {
    semantic |= IsSemantic(kind);
    panoptic |= IsPanoptic(kind);
    instance |= IsInstance(kind);
    const char* missing =
        IsSemantic(kind) && !config.semantic_on()   ? "semantic_on"
        : IsPanoptic(kind) && !config.panoptic_on() ? "panoptic_on"
        : IsInstance(kind) && !config.instance_on() ? "instance_on"
                                                    : nullptr;
    if (missing == nullptr) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "to save '", NameOf(kind), "', model.inference.", missing,
        " must be true; the experiment does not say so, since its model was "
        "not trained for it"));
  }
  InferenceConfig result = config;
  result.set_resize_before_scores(ResizesBeforeScores(config));
  result.set_semantic_on(semantic);
  result.set_panoptic_on(panoptic);
  result.set_instance_on(instance);
  return result;
}

absl::StatusOr<std::vector<PredictionFile>> ParsePredictionFiles(
    absl::string_view list) {
  std::vector<std::string> names;
  for (const KindName& known : kKindNames) names.emplace_back(known.name);
  std::vector<PredictionFile> kinds;
  for (absl::string_view word : absl::StrSplit(list, ',', absl::SkipEmpty())) {
    const auto known = std::find(names.begin(), names.end(), word);
    if (known == names.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot save '", word, "'", Suggest(word, names)));
    }
    const PredictionFile kind = kKindNames[known - names.begin()].kind;
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) {
      kinds.push_back(kind);
    }
  }
  if (kinds.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("nothing to save", Suggest("", names)));
  }
  return kinds;
}

std::string PredictionPath(absl::string_view folder, absl::string_view stem,
                           PredictionFile kind) {
  if (kind == PredictionFile::kInstances) {
    return absl::StrCat(folder, "/", stem, "_instances/", BaseName(stem),
                        "_pred.txt");
  }
  const bool raw =
      kind == PredictionFile::kRaw || kind == PredictionFile::kRawScores;
  return absl::StrCat(folder, "/", stem, "_", NameOf(kind),
                      raw                                 ? ".safetensors"
                      : kind == PredictionFile::kPanoptic ? ".json"
                                                          : ".png");
}

absl::Status WritePredictionFiles(absl::string_view folder,
                                  absl::string_view stem, const cv::Mat& image,
                                  const PicturePrediction& prediction,
                                  const std::vector<PredictionFile>& kinds,
                                  int confidence_bits,
                                  const ClassColors& own_colors) {
  CHECK(confidence_bits == 8 || confidence_bits == 16);
  // With test-time augmentation there are no queries.
  const int64_t classes = prediction.queries.class_logits.defined()
                              ? prediction.queries.class_logits.size(-1) - 1
                              : prediction.scores.size(0);
  for (PredictionFile kind : kinds) {
    M2F_RETURN_IF_ERROR(CheckClasses(kind, classes, own_colors));
    const std::string path = PredictionPath(folder, stem, kind);
    M2F_RETURN_IF_ERROR(
        CreateDirectories(std::filesystem::path(path).parent_path().string()));
    M2F_RETURN_IF_ERROR(WriteOne(path, stem, kind, image, prediction,
                                 confidence_bits, own_colors));
  }
  return absl::OkStatus();
}

}  // namespace mask2former
