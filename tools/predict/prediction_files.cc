#include "mask2former/tools/predict/prediction_files.h"

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
#include "mask2former/eval/train_ids.h"
#include "mask2former/eval/visualize.h"

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
};

bool NeedsCityscapesClasses(PredictionFile kind) {
  return kind == PredictionFile::kOverlay ||
         kind == PredictionFile::kLabelIds || kind == PredictionFile::kColor;
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
                      const SemanticPrediction& prediction, bool scores) {
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

absl::Status WriteOne(const std::string& path, PredictionFile kind,
                      const cv::Mat& image,
                      const SemanticPrediction& prediction,
                      int confidence_bits) {
  switch (kind) {
    case PredictionFile::kOverlay:
      return WritePngAtomically(path,
                                OverlayTrainIds(image, prediction.train_ids));
    case PredictionFile::kLabelIds:
      return WriteLabelIds(path, prediction.train_ids);
    case PredictionFile::kTrainIds:
      return WritePngAtomically(path, prediction.train_ids);
    case PredictionFile::kColor:
      return WritePngAtomically(path, ColorizeTrainIds(prediction.train_ids));
    case PredictionFile::kConfidence:
      return WritePngAtomically(path,
                                Confidence(prediction.scores, confidence_bits));
    case PredictionFile::kRaw:
      return WriteRaw(path, image, prediction, /*scores=*/false);
    case PredictionFile::kRawScores:
      return WriteRaw(path, image, prediction, /*scores=*/true);
  }
  return absl::InternalError("no such kind of file");
}

}  // namespace

bool NeedScores(const std::vector<PredictionFile>& kinds) {
  return std::any_of(kinds.begin(), kinds.end(), [](PredictionFile kind) {
    return kind == PredictionFile::kConfidence ||
           kind == PredictionFile::kRawScores;
  });
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
  const bool raw =
      kind == PredictionFile::kRaw || kind == PredictionFile::kRawScores;
  const auto named = std::find_if(
      std::begin(kKindNames), std::end(kKindNames),
      [kind](const KindName& known) { return known.kind == kind; });
  return absl::StrCat(folder, "/", stem, "_", named->name,
                      raw ? ".safetensors" : ".png");
}

absl::Status WritePredictionFiles(absl::string_view folder,
                                  absl::string_view stem, const cv::Mat& image,
                                  const SemanticPrediction& prediction,
                                  const std::vector<PredictionFile>& kinds,
                                  int confidence_bits) {
  CHECK(confidence_bits == 8 || confidence_bits == 16);
  const int64_t classes = prediction.queries.class_logits.size(-1) - 1;
  for (PredictionFile kind : kinds) {
    if (NeedsCityscapesClasses(kind) && classes != kCityscapesClasses) {
      return absl::InvalidArgumentError(absl::StrCat(
          "overlay, label_ids and color are for the 19 classes of Cityscapes; "
          "this model has ",
          classes, ": save train_ids, confidence or raw"));
    }
    const std::string path = PredictionPath(folder, stem, kind);
    M2F_RETURN_IF_ERROR(
        CreateDirectories(std::filesystem::path(path).parent_path().string()));
    M2F_RETURN_IF_ERROR(
        WriteOne(path, kind, image, prediction, confidence_bits));
  }
  return absl::OkStatus();
}

}  // namespace mask2former
