#include "mask2former/eval/panoptic_task.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/data/cityscapes_panoptic.h"
#include "mask2former/eval/convert_predictions.h"
#include "mask2former/eval/panoptic_files.h"
#include "mask2former/eval/panoptic_metrics.h"
#include "mask2former/eval/panoptic_truth.h"
#include "mask2former/eval/visualize_segments.h"

namespace mask2former {
namespace {

absl::Status WithName(const EvaluatedPicture& picture,
                      const absl::Status& status) {
  return WithPrefix(absl::StrCat(picture.frame.name, ": "), status);
}

class PanopticTask final : public TaskEvaluation {
 public:
  PanopticTask(const NetworkClasses& classes, const std::string& folder)
      : classes_(classes), writer_(absl::StrCat(folder, "/panoptic.json")) {}

  absl::string_view name() const override { return "panoptic"; }

  absl::StatusOr<double> Score(const EvaluatedPicture& picture) override {
    const absl::StatusOr<PanopticImage> truth =
        PanopticTruth(picture.instance_ids);
    if (!truth.ok()) return WithName(picture, truth.status());
    PanopticMetrics one;
    const absl::Status added = one.Add(*truth, Predicted(picture));
    if (!added.ok()) return WithName(picture, added);
    metrics_.Merge(one);
    return one.Compute().all.mean.pq;
  }

  absl::StatusOr<cv::Mat> Draw(const EvaluatedPicture& picture,
                               const DrawOptions& options) const override {
    SegmentMap truth;
    if (!picture.instance_ids.empty()) {
      M2F_ASSIGN_OR_RETURN(const PanopticImage image,
                           PanopticTruth(picture.instance_ids));
      truth = ToSegmentMap(image);
    }
    return SegmentStrip(picture.image, truth, ToSegmentMap(Predicted(picture)),
                        options.panel_width);
  }

  absl::Status Write(const EvaluatedPicture& picture) override {
    const std::string stem =
        std::filesystem::path(picture.frame.image_path).stem().string();
    return writer_.Add(picture.frame.name, absl::StrCat(stem, ".png"),
                       Predicted(picture),
                       CityscapesPanopticPictureName(picture.frame.name));
  }

  absl::Status FinishFiles() override { return writer_.Finish(); }

  void Report(Evaluation& evaluation) const override {
    evaluation.panoptic = metrics_.Compute();
  }

 private:
  PanopticImage Predicted(const EvaluatedPicture& picture) const {
    return ToPanopticImage(picture.prediction.panoptic, classes_);
  }

  const NetworkClasses classes_;
  PanopticMetrics metrics_;
  PanopticFileWriter writer_;
};

}  // namespace

std::unique_ptr<TaskEvaluation> MakePanopticTask(const NetworkClasses& classes,
                                                 const std::string& folder) {
  return std::make_unique<PanopticTask>(classes, folder);
}

}  // namespace mask2former
