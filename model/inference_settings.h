#ifndef MASK2FORMER_MODEL_INFERENCE_SETTINGS_H_
#define MASK2FORMER_MODEL_INFERENCE_SETTINGS_H_

#include "absl/status/status.h"
#include "mask2former/model/model_config.pb.h"

namespace mask2former {

// Whether mask logits are resized to the output size before they become scores:
// if the settings say so, and always of models that tell objects apart.
bool ResizesBeforeScores(const InferenceConfig& config);

// Returns InvalidArgument, naming the field below `model.inference`, if no
// result is switched on or a number is out of range.
absl::Status ValidateInferenceConfig(const InferenceConfig& config);

}  // namespace mask2former

#endif  // MASK2FORMER_MODEL_INFERENCE_SETTINGS_H_
