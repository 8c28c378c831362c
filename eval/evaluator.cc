#include "mask2former/eval/evaluator.h"

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/image_size.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/data_files.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/eval/augmented_predictor.h"
#include "mask2former/eval/build_task_evaluations.h"
#include "mask2former/eval/frame_reader.h"
#include "mask2former/eval/network_classes.h"
#include "mask2former/eval/picture_predictor.h"
#include "mask2former/eval/semantic_predictor.h"
#include "mask2former/eval/task_evaluation.h"
#include "mask2former/eval/worst_pictures.h"
#include "mask2former/model/inference_settings.h"
#include "mask2former/model/segmentor.h"

namespace mask2former {
namespace {

using Clock = std::chrono::steady_clock;
using Tasks = std::vector<std::unique_ptr<TaskEvaluation>>;

constexpr int kWorstPanelWidth = 512;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

FrameReaderOptions ReaderOptions(const EvaluatorOptions& options,
                                 const InferenceConfig& inference) {
  using Instances = FrameReaderOptions::Instances;
  FrameReaderOptions reader;
  reader.label_source = options.label_source;
  reader.needs_labels = options.score && inference.semantic_on();
  reader.instances = !options.score ? Instances::kNone
                     : inference.panoptic_on() || inference.instance_on()
                         ? Instances::kNeeded
                         : Instances::kIfThere;
  reader.prefetch = options.eval.prefetch();
  return reader;
}

absl::StatusOr<PicturePrediction> Predict(const std::string& name,
                                          const cv::Mat& image,
                                          const EvaluatorOptions& options,
                                          const InferenceConfig& inference,
                                          const NetworkClasses& classes,
                                          Segmentor& segmentor) {
  try {
    const at::Tensor input = MakeTestImage(image, options.input.min_size_test(),
                                           options.input.max_size_test());
    const ImageSize output = {image.rows, image.cols};
    if (!options.eval.tta().enabled()) {
      return PredictPicture(segmentor, inference, classes, input, output);
    }
    PicturePrediction prediction;
    static_cast<SemanticPrediction&>(prediction) = PredictSemanticAugmented(
        segmentor, inference, options.eval.tta(), input, output);
    return prediction;
  } catch (const c10::Error& error) {
    return absl::InternalError(
        absl::StrCat(name, ": ", error.what_without_backtrace()));
  }
}

// The tasks that are done.
absl::StatusOr<InferenceConfig> TasksOf(const EvaluatorOptions& options) {
  InferenceConfig inference = options.inference;
  if (!options.eval.tta().enabled()) return inference;
  M2F_RETURN_IF_ERROR(ValidateTestTimeAugmentation(options.eval.tta()));
  if (!inference.semantic_on()) {
    return absl::InvalidArgumentError(
        "test-time augmentation is for the semantic task, which "
        "model.inference.semantic_on switches off");
  }
  if (ResizesBeforeScores(inference)) inference.set_resize_before_scores(true);
  inference.clear_panoptic_on();
  inference.clear_instance_on();
  return inference;
}

absl::Status MakePictures(const EvaluatedPicture& picture, const Tasks& tasks,
                          const std::string& folder, Evaluation& result) {
  for (const std::unique_ptr<TaskEvaluation>& task : tasks) {
    EvaluationPicture strip;
    strip.name = picture.frame.name;
    if (task->name() != "semantic") {
      absl::StrAppend(&strip.name, "_", task->name());
    }
    M2F_ASSIGN_OR_RETURN(strip.strip, task->Draw(picture, {}));
    if (!folder.empty()) {
      strip.path = absl::StrCat(folder, "/", strip.name, ".png");
      M2F_RETURN_IF_ERROR(WritePngAtomically(strip.path, strip.strip));
    }
    result.pictures.push_back(std::move(strip));
  }
  return absl::OkStatus();
}

// Scores and writes a picture, which the next one need not wait for.
absl::Status ScoreAndWrite(const EvaluatedPicture& picture,
                           const EvaluatorOptions& options, const Tasks& tasks,
                           std::vector<WorstPictures>& worst) {
  for (size_t t = 0; t < tasks.size(); ++t) {
    const std::unique_ptr<TaskEvaluation>& task = tasks[t];
    if (options.score) {
      M2F_ASSIGN_OR_RETURN(const double score, task->Score(picture));
      if (worst[t].Wants(score)) {
        M2F_ASSIGN_OR_RETURN(cv::Mat strip,
                             task->Draw(picture, {kWorstPanelWidth,
                                                  /*overlay=*/true}));
        worst[t].Add({std::string(task->name()), picture.frame.name, score,
                      std::move(strip)});
      }
    }
    if (!options.predictions_dir.empty()) {
      M2F_RETURN_IF_ERROR(task->Write(picture));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(absl::Span<const CityscapesFrame> frames,
                          const EvaluatorOptions& options) {
  if (frames.empty()) {
    return absl::InvalidArgumentError("there are no pictures to evaluate");
  }
  if (options.eval.prefetch() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "eval.prefetch must be at least 1, got ", options.eval.prefetch()));
  }
  if (options.eval.num_pictures() < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("eval.num_pictures must not be negative, got ",
                     options.eval.num_pictures()));
  }
  if (options.input.min_size_test() < 1 ||
      options.input.max_size_test() < options.input.min_size_test()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.input.min_size_test must be from 1 to max_size_test, got ",
        options.input.min_size_test(), " and ", options.input.max_size_test()));
  }
  for (const std::string& folder :
       {options.pictures_dir, options.predictions_dir}) {
    if (!folder.empty()) M2F_RETURN_IF_ERROR(CreateDirectories(folder));
  }
  return absl::OkStatus();
}

void WarnOfMissingInstances(absl::Span<const CityscapesFrame> frames) {
  int64_t missing = 0;
  const std::string* first = nullptr;
  for (const CityscapesFrame& frame : frames) {
    if (DataFileExists(frame.instance_ids_path)) continue;
    if (missing++ == 0) first = &frame.instance_ids_path;
  }
  if (missing == 0) return;
  LOG(WARNING) << "there will be no nIoU: " << *first << " is missing"
               << (missing == 1 ? ""
                                : absl::StrCat(" and ", missing - 1, " more"));
}

}  // namespace

absl::StatusOr<Evaluation> Evaluate(absl::Span<const CityscapesFrame> frames,
                                    const EvaluatorOptions& options,
                                    Segmentor& segmentor) {
  M2F_RETURN_IF_ERROR(CheckOptions(frames, options));
  M2F_ASSIGN_OR_RETURN(
      const NetworkClasses classes,
      CityscapesNetworkClasses(segmentor.transformer_decoder()->num_classes()));
  M2F_ASSIGN_OR_RETURN(const InferenceConfig inference, TasksOf(options));
  M2F_ASSIGN_OR_RETURN(
      const Tasks tasks,
      BuildTaskEvaluations(inference, classes, options.predictions_dir));
  const FrameReaderOptions reader_options = ReaderOptions(options, inference);
  if (reader_options.instances == FrameReaderOptions::Instances::kIfThere) {
    WarnOfMissingInstances(frames);
  }
  const EvaluationModeGuard evaluation_mode(segmentor);
  const int64_t total = static_cast<int64_t>(frames.size());
  const int64_t warm_up = std::min<int64_t>(5, total - 1);

  Evaluation result;
  result.test_time_augmentation = options.eval.tta().enabled();
  std::vector<WorstPictures> worst(tasks.size(),
                                   WorstPictures(options.num_worst));
  std::future<absl::Status> scored;  // While the next picture is segmented.
  FrameReader reader(frames, reader_options);
  const Clock::time_point start = Clock::now();
  for (int64_t i = 0; i < total; ++i) {
    const Clock::time_point image_start = Clock::now();
    M2F_ASSIGN_OR_RETURN(LoadedFrame loaded, reader.Next());
    auto picture = std::make_shared<EvaluatedPicture>();
    picture->frame = frames[i];
    picture->image = std::move(loaded.image);
    picture->label_ids = std::move(loaded.label_ids);
    picture->instance_ids = std::move(loaded.instance_ids);

    const Clock::time_point compute_start = Clock::now();
    M2F_ASSIGN_OR_RETURN(picture->prediction,
                         Predict(frames[i].name, picture->image, options,
                                 inference, classes, segmentor));
    const double compute_seconds = SecondsSince(compute_start);

    if (scored.valid()) M2F_RETURN_IF_ERROR(scored.get());
    scored = std::async(std::launch::async, [&, picture] {
      return ScoreAndWrite(*picture, options, tasks, worst);
    });
    if (i < options.eval.num_pictures()) {
      M2F_RETURN_IF_ERROR(
          MakePictures(*picture, tasks, options.pictures_dir, result));
    }

    if (i >= warm_up) {
      ++result.speed.images;
      result.speed.compute_seconds += compute_seconds;
      result.speed.total_seconds += SecondsSince(image_start);
    }
    if (options.progress) {
      const double seconds = SecondsSince(start);
      M2F_RETURN_IF_ERROR(options.progress(
          {i + 1, total, seconds, seconds / (i + 1) * (total - i - 1)}));
    }
  }
  M2F_RETURN_IF_ERROR(scored.get());
  result.speed.compute_seconds /= result.speed.images;
  result.speed.total_seconds /= result.speed.images;
  for (const std::unique_ptr<TaskEvaluation>& task : tasks) {
    if (options.score) task->Report(result);
    if (!options.predictions_dir.empty()) {
      M2F_RETURN_IF_ERROR(task->FinishFiles());
    }
  }
  for (WorstPictures& of_task : worst) {
    for (WorstPicture& picture : of_task.Take()) {
      result.worst.push_back(std::move(picture));
    }
  }
  return result;
}

}  // namespace mask2former
