#include "mask2former/eval/instance_task.h"

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "mask2former/common/file_io.h"
#include "mask2former/common/status_macros.h"
#include "mask2former/common/status_prefix.h"
#include "mask2former/eval/convert_predictions.h"
#include "mask2former/eval/instance_files.h"
#include "mask2former/eval/instance_metrics.h"
#include "mask2former/eval/instance_overlaps.h"
#include "mask2former/eval/panoptic_truth.h"
#include "mask2former/eval/visualize_segments.h"

namespace mask2former {
namespace {

constexpr double kDrawnScore = 0.5;

absl::Status WithName(const EvaluatedPicture& picture,
                      const absl::Status& status) {
  return WithPrefix(absl::StrCat(picture.frame.name, ": "), status);
}

class InstanceTask final : public TaskEvaluation {
 public:
  InstanceTask(const NetworkClasses& classes, const std::string& folder)
      : classes_(classes), folder_(absl::StrCat(folder, "/instance")) {}

  absl::string_view name() const override { return "instance"; }

  absl::StatusOr<double> Score(const EvaluatedPicture& picture) override {
    absl::StatusOr<InstanceOverlaps> overlaps =
        InstanceOverlaps::Create(picture.instance_ids);
    if (!overlaps.ok()) return WithName(picture, overlaps.status());
    for (const InstancePrediction& instance : picture.prediction.instances) {
      const absl::Status added =
          overlaps->Add(classes_.label_ids[instance.category], instance.score,
                        InstanceMask(instance));
      if (!added.ok()) return WithName(picture, added);
    }
    InstanceMetrics one;
    one.Add(*overlaps);
    metrics_.Merge(one);
    return one.Compute().mean_ap;
  }

  absl::StatusOr<cv::Mat> Draw(const EvaluatedPicture& picture,
                               const DrawOptions& options) const override {
    SegmentMap truth;
    if (!picture.instance_ids.empty()) {
      M2F_ASSIGN_OR_RETURN(const PanopticImage image,
                           PanopticTruth(picture.instance_ids));
      truth = ToThingMap(image);
    }
    return SegmentStrip(picture.image, truth,
                        ToSegmentMap(picture.prediction.instances, classes_,
                                     kDrawnScore, picture.image.size()),
                        options.panel_width);
  }

  absl::Status Write(const EvaluatedPicture& picture) override {
    M2F_RETURN_IF_ERROR(CreateDirectories(folder_));
    InstanceFileWriter writer(
        folder_,
        std::filesystem::path(picture.frame.image_path).stem().string());
    for (const InstancePrediction& instance : picture.prediction.instances) {
      M2F_RETURN_IF_ERROR(writer.Add(classes_.label_ids[instance.category],
                                     static_cast<float>(instance.score),
                                     InstanceMask(instance)));
    }
    return writer.Finish();
  }

  void Report(Evaluation& evaluation) const override {
    evaluation.instance = metrics_.Compute();
  }

 private:
  const NetworkClasses classes_;
  const std::string folder_;
  InstanceMetrics metrics_;
};

}  // namespace

std::unique_ptr<TaskEvaluation> MakeInstanceTask(const NetworkClasses& classes,
                                                 const std::string& folder) {
  return std::make_unique<InstanceTask>(classes, folder);
}

}  // namespace mask2former
