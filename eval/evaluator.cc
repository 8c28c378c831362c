#include "mask2former/eval/evaluator.h"

#include <ATen/core/Tensor.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <filesystem>
#include <future>
#include <opencv2/core.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/logging.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/image_io.h"
#include "mask2former/data/image_tensor.h"
#include "mask2former/eval/semantic_evaluator.h"
#include "mask2former/eval/semantic_predictor.h"
#include "mask2former/eval/train_ids.h"
#include "mask2former/eval/visualize.h"

namespace mask2former {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct LoadedFrame {
  cv::Mat image;         // As in the file.
  at::Tensor input;      // As the model takes it.
  cv::Mat label_ids;     // Empty without scoring,
  cv::Mat instance_ids;  // this also without the file.
};

absl::StatusOr<LoadedFrame> LoadFrame(const CityscapesFrame& frame,
                                      const EvaluatorOptions& options) {
  LoadedFrame loaded;
  M2F_ASSIGN_OR_RETURN(loaded.image,
                       ReadPng(frame.image_path, PngFormat::kRgb8));
  loaded.input = MakeTestImage(loaded.image, options.input.min_size_test(),
                               options.input.max_size_test());
  if (!options.score) return loaded;
  if (options.label_source == DataConfig::LABEL_IDS) {
    M2F_ASSIGN_OR_RETURN(loaded.label_ids,
                         ReadPng(frame.label_ids_path, PngFormat::kGray8));
  } else {
    M2F_ASSIGN_OR_RETURN(
        const cv::Mat train_ids,
        ReadCityscapesLabel(frame.label_train_ids_path, options.label_source));
    M2F_ASSIGN_OR_RETURN(loaded.label_ids, TrainIdsToLabelIds(train_ids));
  }
  if (FileExists(frame.instance_ids_path)) {
    M2F_ASSIGN_OR_RETURN(loaded.instance_ids,
                         ReadPng(frame.instance_ids_path, PngFormat::kGray16));
  }
  return loaded;
}

// Reads frames in order, some of them ahead, each in a thread of its own.
class FrameReader {
 public:
  FrameReader(absl::Span<const CityscapesFrame> frames,
              const EvaluatorOptions& options)
      : frames_(frames), options_(options) {
    for (int i = 0; i < options.eval.prefetch(); ++i) StartNext();
  }

  absl::StatusOr<LoadedFrame> Next() {
    std::future<absl::StatusOr<LoadedFrame>> first = std::move(ahead_.front());
    ahead_.pop_front();
    absl::StatusOr<LoadedFrame> loaded = first.get();
    StartNext();
    return loaded;
  }

 private:
  void StartNext() {
    if (started_ == frames_.size()) return;
    const CityscapesFrame& frame = frames_[started_++];
    ahead_.push_back(std::async(std::launch::async, [this, &frame] {
      return LoadFrame(frame, options_);
    }));
  }

  const absl::Span<const CityscapesFrame> frames_;
  const EvaluatorOptions& options_;
  size_t started_ = 0;
  // Their destructors wait for the threads.
  std::deque<std::future<absl::StatusOr<LoadedFrame>>> ahead_;
};

cv::Mat TrainIds(const cv::Mat& label_ids) {
  cv::Mat train_ids;
  cv::LUT(label_ids,
          cv::Mat(1, 256, CV_8UC1,
                  const_cast<uint8_t*>(CityscapesIdToTrainId().data())),
          train_ids);
  return train_ids;
}

absl::StatusOr<cv::Mat> Predict(const CityscapesFrame& frame,
                                const LoadedFrame& loaded,
                                const EvaluatorOptions& options,
                                Segmentor& segmentor) {
  try {
    return PredictSemantic(segmentor, options.inference, loaded.input,
                           {loaded.image.rows, loaded.image.cols})
        .train_ids;
  } catch (const c10::Error& error) {
    return absl::InternalError(
        absl::StrCat(frame.name, ": ", error.what_without_backtrace()));
  }
}

absl::StatusOr<EvaluationPicture> MakePicture(const CityscapesFrame& frame,
                                              const LoadedFrame& loaded,
                                              const cv::Mat& train_ids,
                                              const std::string& folder) {
  const cv::Mat truth =
      loaded.label_ids.empty() ? cv::Mat() : TrainIds(loaded.label_ids);
  EvaluationPicture picture;
  picture.name = frame.name;
  picture.strip = EvaluationStrip(loaded.image, truth, train_ids);
  if (!folder.empty()) {
    picture.path = absl::StrCat(folder, "/", frame.name, ".png");
    M2F_RETURN_IF_ERROR(WritePngAtomically(picture.path, picture.strip));
  }
  return picture;
}

absl::Status WritePrediction(const CityscapesFrame& frame,
                             const cv::Mat& train_ids,
                             const std::string& folder) {
  M2F_ASSIGN_OR_RETURN(const cv::Mat label_ids, TrainIdsToLabelIds(train_ids));
  const std::string picture =
      std::filesystem::path(frame.image_path).stem().string();
  return WritePngAtomically(absl::StrCat(folder, "/", picture, "_pred.png"),
                            label_ids);
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
    if (FileExists(frame.instance_ids_path)) continue;
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
  if (options.score) WarnOfMissingInstances(frames);
  const EvaluationModeGuard evaluation_mode(segmentor);
  const int64_t total = static_cast<int64_t>(frames.size());
  const int64_t warm_up = std::min<int64_t>(5, total - 1);

  Evaluation result;
  SemanticEvaluator scorer;
  std::future<absl::Status> scored;  // While the next picture is labelled.
  FrameReader reader(frames, options);
  const Clock::time_point start = Clock::now();
  for (int64_t i = 0; i < total; ++i) {
    const CityscapesFrame& frame = frames[i];
    const Clock::time_point image_start = Clock::now();
    M2F_ASSIGN_OR_RETURN(const LoadedFrame loaded, reader.Next());

    const Clock::time_point compute_start = Clock::now();
    M2F_ASSIGN_OR_RETURN(const cv::Mat train_ids,
                         Predict(frame, loaded, options, segmentor));
    const double compute_seconds = SecondsSince(compute_start);

    if (options.score) {
      if (scored.valid()) M2F_RETURN_IF_ERROR(scored.get());
      scored =
          std::async(std::launch::async, [&scorer, &frame, train_ids,
                                          labels = loaded.label_ids,
                                          instances = loaded.instance_ids] {
            return scorer.Add(frame.name, train_ids, labels, instances);
          });
    }
    if (i < options.eval.num_pictures()) {
      M2F_ASSIGN_OR_RETURN(
          EvaluationPicture picture,
          MakePicture(frame, loaded, train_ids, options.pictures_dir));
      result.pictures.push_back(std::move(picture));
    }
    if (!options.predictions_dir.empty()) {
      M2F_RETURN_IF_ERROR(
          WritePrediction(frame, train_ids, options.predictions_dir));
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
  if (scored.valid()) M2F_RETURN_IF_ERROR(scored.get());
  result.speed.compute_seconds /= result.speed.images;
  result.speed.total_seconds /= result.speed.images;
  result.metrics = scorer.metrics();
  result.scores = result.metrics.Compute();
  return result;
}

}  // namespace mask2former
