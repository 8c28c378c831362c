#include "mask2former/model/inference_settings.h"

#include "absl/strings/str_cat.h"

namespace mask2former {
namespace {

absl::Status CheckShare(const char* field, double value) {
  if (value >= 0 && value <= 1) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "model.inference.", field, " must be from 0 to 1, is ", value));
}

}  // namespace

bool ResizesBeforeScores(const InferenceConfig& config) {
  return config.resize_before_scores() || config.instance_on() ||
         config.panoptic_on();
}

absl::Status ValidateInferenceConfig(const InferenceConfig& config) {
  if (!config.semantic_on() && !config.instance_on() && !config.panoptic_on()) {
    return absl::InvalidArgumentError(
        "model.inference gives no result: set semantic_on, instance_on or "
        "panoptic_on");
  }
  for (const absl::Status& status :
       {CheckShare("object_mask_threshold", config.object_mask_threshold()),
        CheckShare("overlap_threshold", config.overlap_threshold())}) {
    if (!status.ok()) return status;
  }
  if (config.top_k() < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.inference.top_k must be at least 1, is ", config.top_k()));
  }
  return absl::OkStatus();
}

}  // namespace mask2former
