#include "mask2former/tools/predict/predict_files.h"

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <opencv2/core/mat.hpp>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/image_size.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/eval/augmented_predictor.h"
#include "mask2former/eval/network_classes.h"
#include "mask2former/eval/picture_predictor.h"
#include "mask2former/eval/semantic_predictor.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {
namespace {

bool IsDone(const InputFile& file, const PredictOptions& options) {
  return std::all_of(
      options.kinds.begin(), options.kinds.end(), [&](PredictionFile kind) {
        return FileExists(PredictionPath(options.output, file.stem, kind));
      });
}

// The classes that the tasks of `inference` ask for.
absl::StatusOr<NetworkClasses> ClassesFor(const InferenceConfig& inference,
                                          const Segmentor& segmentor) {
  if (!inference.panoptic_on() && !inference.instance_on()) {
    return NetworkClasses();
  }
  return CityscapesNetworkClasses(
      segmentor.transformer_decoder()->num_classes());
}

absl::Status PredictOne(const InputFile& file, const cv::Mat& image,
                        const PredictOptions& options,
                        const InferenceConfig& inference,
                        const NetworkClasses& classes, Segmentor& segmentor) {
  try {
    const at::Tensor input = MakeTestImage(image, options.input.min_size_test(),
                                           options.input.max_size_test());
    const ImageSize output = {image.rows, image.cols};
    PicturePrediction prediction;
    if (options.tta.enabled()) {
      static_cast<SemanticPrediction&>(prediction) = PredictSemanticAugmented(
          segmentor, inference, options.tta, input, output);
    } else {
      prediction = PredictPicture(segmentor, inference, classes, input, output,
                                  NeedScores(options.kinds));
    }
    return WritePredictionFiles(options.output, file.stem, image, prediction,
                                options.kinds, options.confidence_bits,
                                options.own_colors);
  } catch (const c10::Error& error) {
    return absl::InternalError(error.what_without_backtrace());
  }
}

absl::Status CheckOptions(const PredictOptions& options) {
  if (options.confidence_bits != 8 && options.confidence_bits != 16) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--confidence_bits is 8 or 16, got ", options.confidence_bits));
  }
  if (options.input.min_size_test() < 1 ||
      options.input.max_size_test() < options.input.min_size_test()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.input.min_size_test must be from 1 to max_size_test, got ",
        options.input.min_size_test(), " and ", options.input.max_size_test()));
  }
  if (!options.tta.enabled()) return absl::OkStatus();
  for (const PredictionFile kind : options.kinds) {
    if (IsSemantic(kind) && kind != PredictionFile::kRawScores) continue;
    return absl::InvalidArgumentError(
        "--tta (eval.tta.enabled) averages the scores of the semantic task: "
        "with it, --save takes only overlay, color, label_ids, train_ids and "
        "confidence; --save=overlay, for one");
  }
  return ValidateTestTimeAugmentation(options.tta);
}

}  // namespace

std::string PredictSummary::ToString() const {
  return absl::StrFormat(
      "%d pictures in %.1f s: %.2f images/s; %d skipped, %d failed", done,
      seconds, seconds > 0 ? done / seconds : 0, skipped, failed);
}

absl::StatusOr<PredictSummary> PredictFiles(absl::Span<const InputFile> files,
                                            const PredictOptions& options,
                                            Segmentor& segmentor) {
  M2F_RETURN_IF_ERROR(CheckOptions(options));
  M2F_ASSIGN_OR_RETURN(const InferenceConfig inference,
                       TasksFor(options.kinds, options.inference));
  M2F_ASSIGN_OR_RETURN(const NetworkClasses classes,
                       ClassesFor(inference, segmentor));
  const EvaluationModeGuard evaluation_mode(segmentor);
  PredictSummary summary;
  std::vector<const InputFile*> todo;
  for (const InputFile& file : files) {
    if (!options.overwrite && IsDone(file, options)) {
      ++summary.skipped;
    } else {
      todo.push_back(&file);
    }
  }
  const auto start = std::chrono::steady_clock::now();
  const auto read = [](const InputFile* file) {
    return std::async(std::launch::async,
                      [file] { return ReadImageAsRgb(file->path); });
  };
  std::future<absl::StatusOr<cv::Mat>> next;
  if (!todo.empty()) next = read(todo[0]);
  for (size_t i = 0; i < todo.size(); ++i) {
    const absl::StatusOr<cv::Mat> image = next.get();
    if (i + 1 < todo.size()) next = read(todo[i + 1]);
    const absl::Status status = image.ok()
                                    ? PredictOne(*todo[i], *image, options,
                                                 inference, classes, segmentor)
                                    : image.status();
    if (status.ok()) {
      ++summary.done;
    } else {
      ++summary.failed;
      LOG(ERROR) << todo[i]->path << ": " << status.message();
    }
  }
  summary.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return summary;
}

}  // namespace mask2former
