#include "mask2former/eval/folder_evaluator.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <future>
#include <opencv2/core/mat.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/image_size.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/eval/augmented_predictor.h"
#include "mask2former/eval/generic_metrics.h"
#include "mask2former/eval/semantic_predictor.h"
#include "mask2former/eval/visualize.h"
#include "mask2former/eval/worst_pictures.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWorstPanelWidth = 512;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The class of each pixel.
absl::StatusOr<cv::Mat> Predict(const Sample& sample,
                                const FolderEvaluatorOptions& options,
                                Segmentor& segmentor) {
  try {
    const at::Tensor input =
        MakeTestImage(sample.image, options.input.min_size_test(),
                      options.input.max_size_test());
    const ImageSize output = {sample.image.rows, sample.image.cols};
    if (options.eval.tta().enabled()) {
      return PredictSemanticAugmented(segmentor, options.inference,
                                      options.eval.tta(), input, output)
          .train_ids;
    }
    return PredictSemantic(segmentor, options.inference, input, output)
        .train_ids;
  } catch (const c10::Error& error) {
    return absl::InternalError(
        absl::StrCat(sample.image_path, ": ", error.what_without_backtrace()));
  }
}

absl::Status WriteBelow(const std::string& folder, const std::string& name,
                        const cv::Mat& image) {
  const std::string path = absl::StrCat(folder, "/", name, ".png");
  M2F_RETURN_IF_ERROR(
      CreateDirectories(std::filesystem::path(path).parent_path().string()));
  return WritePngAtomically(path, image);
}

absl::Status CheckModel(const FolderDataset& pictures,
                        const FolderEvaluatorOptions& options,
                        const Segmentor& segmentor) {
  const int64_t classes = segmentor.transformer_decoder()->num_classes();
  if (classes != pictures.num_classes()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the model has ", classes,
                     " classes, data.folder.classes ", pictures.num_classes()));
  }
  if (!options.inference.semantic_on()) {
    return absl::InvalidArgumentError(
        "pictures of data.folder are scored by the semantic task, which "
        "model.inference.semantic_on switches off");
  }
  return ValidateTestTimeAugmentation(options.eval.tta());
}

}  // namespace

absl::StatusOr<Evaluation> EvaluateFolder(const FolderDataset& pictures,
                                          const FolderEvaluatorOptions& options,
                                          Segmentor& segmentor) {
  M2F_RETURN_IF_ERROR(CheckModel(pictures, options, segmentor));
  const ClassMap& classes = pictures.classes();
  const EvaluationModeGuard evaluation_mode(segmentor);
  GenericMetrics metrics(static_cast<int>(pictures.num_classes()));
  Evaluation result;
  result.test_time_augmentation = options.eval.tta().enabled();
  WorstPictures worst(options.num_worst);
  const int64_t total = pictures.size();
  const int64_t warm_up = std::min<int64_t>(5, total - 1);
  const auto load = [&](int64_t i) {
    return std::async(std::launch::async,
                      [&pictures, i] { return pictures.Load(i); });
  };
  std::future<absl::StatusOr<Sample>> next = load(0);
  const Clock::time_point start = Clock::now();
  for (int64_t i = 0; i < total; ++i) {
    const Clock::time_point picture_start = Clock::now();
    M2F_ASSIGN_OR_RETURN(const Sample sample, next.get());
    if (i + 1 < total) next = load(i + 1);
    const std::string& name = pictures.frames()[i].name;
    const Clock::time_point compute_start = Clock::now();
    M2F_ASSIGN_OR_RETURN(const cv::Mat predicted,
                         Predict(sample, options, segmentor));
    const double compute_seconds = SecondsSince(compute_start);
    GenericMetrics one(static_cast<int>(pictures.num_classes()));
    M2F_RETURN_IF_ERROR(one.Add(sample.label, predicted));
    metrics.Merge(one);
    StripOptions strip;
    strip.colors = classes.colors();
    if (i < options.eval.num_pictures() && !options.pictures_dir.empty()) {
      EvaluationPicture drawn;
      drawn.name = name;
      drawn.path = absl::StrCat(options.pictures_dir, "/", name, ".png");
      drawn.strip =
          EvaluationStrip(sample.image, sample.label, predicted, strip);
      M2F_RETURN_IF_ERROR(WriteBelow(options.pictures_dir, name, drawn.strip));
      result.pictures.push_back(std::move(drawn));
    }
    const double score = one.Compute().mean_iou;
    if (worst.Wants(score)) {
      strip.alpha = 0.6;
      strip.max_panel_width = kWorstPanelWidth;
      worst.Add(
          {"semantic", name, score,
           EvaluationStrip(sample.image, sample.label, predicted, strip)});
    }
    if (!options.predictions_dir.empty()) {
      M2F_RETURN_IF_ERROR(WriteBelow(
          absl::StrCat(options.predictions_dir, "/semantic"), name, predicted));
    }
    if (i >= warm_up) {
      ++result.speed.images;
      result.speed.compute_seconds += compute_seconds;
      result.speed.total_seconds += SecondsSince(picture_start);
    }
    if (options.progress) {
      const double seconds = SecondsSince(start);
      M2F_RETURN_IF_ERROR(options.progress(
          {i + 1, total, seconds, seconds / (i + 1) * (total - i - 1)}));
    }
  }
  result.speed.compute_seconds /= result.speed.images;
  result.speed.total_seconds /= result.speed.images;
  result.own_classes = {classes.names(), classes.colors(), classes.is_thing(),
                        metrics.Compute(), metrics.counts()};
  result.worst = worst.Take();
  return result;
}

}  // namespace mask2former
