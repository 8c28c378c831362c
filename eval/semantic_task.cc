#include "mask2former/eval/semantic_task.h"

#include <filesystem>
#include <opencv2/core.hpp>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/data/cityscapes_labels.h"
#include "mask2former/data/image_io.h"
#include "mask2former/eval/generic_scores.h"
#include "mask2former/eval/semantic_evaluator.h"
#include "mask2former/eval/train_ids.h"
#include "mask2former/eval/visualize.h"

namespace mask2former {
namespace {

cv::Mat TrainIds(const cv::Mat& label_ids) {
  cv::Mat train_ids;
  cv::LUT(label_ids,
          cv::Mat(1, 256, CV_8UC1,
                  const_cast<uint8_t*>(CityscapesIdToTrainId().data())),
          train_ids);
  return train_ids;
}

class SemanticTask final : public TaskEvaluation {
 public:
  explicit SemanticTask(const std::string& folder)
      : folder_(absl::StrCat(folder, "/semantic")) {}

  absl::string_view name() const override { return "semantic"; }

  absl::StatusOr<double> Score(const EvaluatedPicture& picture) override {
    SemanticEvaluator one;
    M2F_RETURN_IF_ERROR(one.Add(picture.frame.name,
                                picture.prediction.train_ids, picture.label_ids,
                                picture.instance_ids));
    const CityscapesMetrics metrics = one.metrics();
    metrics_.Merge(metrics);
    return metrics.Compute().mean_class_iou;
  }

  absl::StatusOr<cv::Mat> Draw(const EvaluatedPicture& picture,
                               const DrawOptions& options) const override {
    StripOptions strip;
    strip.max_panel_width = options.panel_width;
    if (options.overlay) strip.alpha = 0.6;
    return EvaluationStrip(
        picture.image,
        picture.label_ids.empty() ? cv::Mat() : TrainIds(picture.label_ids),
        picture.prediction.train_ids, strip);
  }

  absl::Status Write(const EvaluatedPicture& picture) override {
    M2F_ASSIGN_OR_RETURN(const cv::Mat label_ids,
                         TrainIdsToLabelIds(picture.prediction.train_ids));
    M2F_RETURN_IF_ERROR(CreateDirectories(folder_));
    const std::string stem =
        std::filesystem::path(picture.frame.image_path).stem().string();
    return WritePngAtomically(absl::StrCat(folder_, "/", stem, "_pred.png"),
                              label_ids);
  }

  void Report(Evaluation& evaluation) const override {
    evaluation.semantic = {metrics_, metrics_.Compute(),
                           GenericCityscapesScores(metrics_.confusion())};
  }

 private:
  const std::string folder_;
  CityscapesMetrics metrics_;
};

}  // namespace

std::unique_ptr<TaskEvaluation> MakeSemanticTask(const std::string& folder) {
  return std::make_unique<SemanticTask>(folder);
}

}  // namespace mask2former
